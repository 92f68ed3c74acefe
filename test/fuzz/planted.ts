/** Decoders that take more than linear time, and one that does not: what counts steps has to tell them apart. */

const planted = (name: string, read: (text: string) => unknown) => ({
  name,
  decode: (bytes: Uint8Array): unknown => read(Buffer.from(bytes).toString('latin1')),
})

export const LINEAR = planted('planted: linear', (text) => text.split('<').map((each) => each.trim()))

export const QUADRATIC = [
  planted('planted: a loop in a loop', (text) => {
    let pairs = 0
    for (const one of text) for (const other of text) if (one === other) pairs++
    return pairs
  }),
  planted('planted: a search to the end from every place', (text) => {
    let found = 0
    for (let at = 0; at < text.length; at++) if (text.indexOf(']]>', at) !== -1) found++
    return found
  }),
  planted('planted: pieces put together anew each time', (text) =>
    [...text].reduce((seen, char) => Buffer.concat([seen, Buffer.from(char)]), Buffer.alloc(0)),
  ),
  planted('planted: a search for a blank line after every byte', (text) =>
    [...text].map((_, at) => /\r\n\r\n/.exec(text.slice(0, at))),
  ),
  planted('planted: a rest in lower case after every tag', (text) =>
    [...text].map((_, at) => text.slice(at).toLowerCase().startsWith('a')),
  ),
]

export const PLANTED = [LINEAR, ...QUADRATIC]
