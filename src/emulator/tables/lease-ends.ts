/**
 * The leases that have ended, from a binary heap. A renewal leaves the old end in the heap. If more than half of the
 * heap is old ends, the heap is rebuilt, so that a client cannot fill it with renewals.
 */
interface End<Key> {
  readonly key: Key
  readonly endsMs: number
}

/** So few old ends are not worth a rebuild of the heap. */
const OLD_ENDS_BORNE = 64

export class LeaseEnds<Key> {
  #heap: End<Key>[] = []
  readonly #ends = new Map<Key, number>()

  /** How many ends are in the heap, old ones included. */
  get kept(): number {
    return this.#heap.length
  }

  /** Replaces the end that the key had. */
  set(key: Key, endsMs: number): void {
    if (this.#ends.get(key) === endsMs) return
    this.#ends.set(key, endsMs)
    this.#push({ key, endsMs })
    this.#sweep()
  }

  delete(key: Key): void {
    this.#ends.delete(key)
    this.#sweep()
  }

  clear(): void {
    this.#heap = []
    this.#ends.clear()
  }

  /** Removes the leases that have ended and returns their keys, the earliest end first. */
  takeEnded(nowMs: number): Key[] {
    const ended: Key[] = []
    for (let first = this.#heap[0]; first !== undefined && first.endsMs <= nowMs; first = this.#heap[0]) {
      this.#shift()
      if (this.#ends.get(first.key) !== first.endsMs) continue
      this.#ends.delete(first.key)
      ended.push(first.key)
    }
    return ended
  }

  #sweep(): void {
    if (this.#heap.length <= 2 * this.#ends.size + OLD_ENDS_BORNE) return
    const ends = Array.from(this.#ends, ([key, endsMs]) => ({ key, endsMs }))
    this.#heap = ends.sort((a, b) => a.endsMs - b.endsMs) // a sorted array is a heap
  }

  #push(end: End<Key>): void {
    let at = this.#heap.push(end) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#endAt(above) <= end.endsMs) break
      this.#move(above, at)
      at = above
    }
    this.#heap[at] = end
  }

  /** Removes the first end. The last one takes its place and sinks to where it belongs. */
  #shift(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const below = this.#endAt(left + 1) < this.#endAt(left) ? left + 1 : left
      if (this.#endAt(below) >= last.endsMs) break
      this.#move(below, at)
      at = below
    }
    this.#heap[at] = last
  }

  #endAt(at: number): number {
    return this.#heap[at]?.endsMs ?? Number.POSITIVE_INFINITY
  }

  #move(from: number, to: number): void {
    const end = this.#heap[from]
    if (end !== undefined) this.#heap[to] = end
  }
}
