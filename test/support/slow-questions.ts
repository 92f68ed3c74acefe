/** Questions that stay under way until a test answers them. */
import { settle } from './fake-clock.ts'

interface UnderWay<T> {
  readonly name: string
  readonly answer: (value: T) => void
  readonly fail: (error: unknown) => void
}

export class SlowQuestions<T> {
  /** In the order in which they were asked; one that is asked again is there again. */
  readonly asked: string[] = []
  readonly underWay: UnderWay<T>[] = []
  /** The most that ever were under way. */
  most = 0

  ask(name: string): Promise<T> {
    this.asked.push(name)
    return new Promise((resolve, reject) => {
      this.underWay.push({ name, answer: resolve, fail: reject })
      this.most = Math.max(this.most, this.underWay.length)
    })
  }

  /** Lets the oldest one end, and what follows from it begin. */
  async next(end: (question: UnderWay<T>) => void): Promise<void> {
    const oldest = this.underWay.shift()
    if (oldest === undefined) throw new Error('nothing is under way')
    end(oldest)
    await settle()
  }

  /** Lets all end that are under way, one after the other; how many those were. */
  async round(end: (question: UnderWay<T>) => void): Promise<number> {
    const count = this.underWay.length
    for (let left = count; left > 0; left--) await this.next(end)
    return count
  }

  /** Rounds until nothing is under way. */
  async rounds(end: (question: UnderWay<T>) => void): Promise<number[]> {
    const counts: number[] = []
    while (this.underWay.length > 0) counts.push(await this.round(end))
    return counts
  }
}
