/** The sentences that are the same for all verbs. */
import { cleaned } from '../clean.js'
import { errorOf, noticeText } from '../notices.js'
import { complaint, hint } from '../pieces.js'
import type { Occasion, Rows } from './telling.js'

export function commonRows(_: Occasion): Rows {
  return {
    notice: (notice) => [hint(`${cleaned(noticeText(notice))}\n`)],
    error: ({ error }) => [complaint(`${cleaned(errorOf(error).message)}\n`)],
  }
}
