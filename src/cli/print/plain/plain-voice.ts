/** The voice of verbs: Reports -> short sentences for people who have never heard of UPnP. */
import { renderText } from '../text.js'
import type { Voice } from '../voice.js'

export function plainVoice(): Voice {
  return {
    render: (report) => renderText(report, '2.3.3'),
    end: () => [],
  }
}
