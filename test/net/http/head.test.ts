import { describe, expect, it } from 'vitest'
import { HeadReader } from '../../../src/net/http/head.ts'

const OK = 'HTTP/1.1 200 OK\r\n\r\n'
const read = (interimReplies: number) =>
  new HeadReader().read(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(interimReplies) + OK))

describe('the head of a reply', () => {
  it('may come after four interim replies', () => {
    expect(read(4)?.head.status).toBe(200)
  })

  it('is not waited for after five', () => {
    expect(() => read(5)).toThrow('too many interim replies')
  })
})
