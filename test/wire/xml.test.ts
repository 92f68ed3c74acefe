import { describe, expect, it } from 'vitest'
import { MalformedMessageError } from '../../src/domain/errors.ts'
import {
  childNamed,
  decodeEntities,
  decodeText,
  decodeXml,
  encodeEntities,
  encodeXml,
  endsWithRoot,
  MAX_XML_DEPTH,
  MAX_XML_NODES,
  parseXml,
  type XmlElement,
} from '../../src/wire/xml.ts'
import { NAMES_OF_OBJECTS } from '../fuzz/xml-differential.ts'
import { mutations, randomBytes, randomFrom, thrownBy, truncations } from '../support/random.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** name=text(children) on one line. */
function shape({ name, text, children }: XmlElement): string {
  return `${name}=${text}${children.length === 0 ? '' : `(${children.map(shape).join(' ')})`}`
}

function depthOf(element: XmlElement): number {
  return 1 + Math.max(0, ...element.children.map(depthOf))
}

describe('an XML document', () => {
  it.each([
    ['as it should be', '<?xml version="1.0"?><a><b>1</b><b>2</b></a>', 'a=(b=1 b=2)'],
    ['after a byte order mark', '\ufeff<?xml version="1.0"?><a>1</a>', 'a=1'],
    ['after blank lines', '\r\n\r\n \t<?xml version="1.0"?>\r\n<a>1</a>', 'a=1'],
    ['before NULs', '<a>1</a>\0\0\0', 'a=1'],
    ['between NULs and blanks', '\0\0<a>1</a>\r\n\0 ', 'a=1'],
    ['with prefixes that are bound', '<x:a xmlns:x="u"><x:b>1</x:b></x:a>', 'a=(b=1)'],
    ['with prefixes that are not bound (Q105)', '<s:a><u:b>1</u:b></s:a>', 'a=(b=1)'],
    ['with prefixes of odd characters (Q107)', '<SOAP-ENV:a><m.1:b>1</m.1:b></SOAP-ENV:a>', 'a=(b=1)'],
    ['with line ends in its tags (Q107)', '<a\n  x="1"\r\n><b\t>1</b\n></a >', 'a=(b=1)'],
    ['with attributes, which do not count', `<a x="1>2" y='"'><b z=">">1</b></a>`, 'a=(b=1)'],
    ['with CDATA (Q51)', '<a><![CDATA[<b>&amp;]]></a>', 'a=<b>&amp;'],
    ['with text about its CDATA', '<a>1<![CDATA[2]]>&lt;<![CDATA[4]]></a>', 'a=12<4'],
    ['with comments in its values (Q51)', '<a>1<!-- <b>no</b> -->2</a>', 'a=12'],
    ['with comments and instructions about it', '<!-- x --><?y z?><a>1</a><!-- </a> --><?y z?>\n<!-- -->', 'a=1'],
    ['with empty elements', '<a><b/><c /><d></d></a>', 'a=(b= c= d=)'],
    ['with text between children', '<a>1<b>2</b>3</a>', 'a=13(b=2)'],
    ['with a > in its text', '<a>1 > 2</a>', 'a=1 > 2'],
    ['with blanks that are kept', '<a> 1\n</a>', 'a= 1\n'],
    [
      'with numbers that stay text',
      '<a><b>007</b><c>1e3</c><d>0x10</d><e>true</e></a>',
      'a=(b=007 c=1e3 d=0x10 e=true)',
    ],
  ])('is read %s', (_name, text, expected) => {
    const document = decodeXml(utf8(text))
    expect(shape(document.root)).toBe(expected)
    expect(document.complete).toBe(true)
  })

  it.each([
    ['an end tag that is missing after a text', '<a><b>1<c>2</c></a>', 'a=(b=1 c=2)'],
    ['an end tag that is missing after elements', '<a><b><c>1</c></a>', 'a=(b=(c=1))'],
    ['an end tag without a start tag', '<a><b>1</b></x><c>2</c></a>', 'a=(b=1 c=2)'],
    ['an end tag with another name', '<a><b>1</x><c></y><d>2</d></a>', 'a=(b=1 c= d=2)'],
    ['an end tag in another case', '<a><b><c>1</C></B></A>', 'a=(b=(c=1))'],
    ['an end tag with another prefix', '<x:a><x:b>1</b></y:a>', 'a=(b=1)'],
    ['an end tag with blanks and words', '<a><b>1</ b\n x="1"></a>', 'a=(b=1)'],
    ['end tags that are crossed', '<a><b><c>1</b></c><d>2</d></a>', 'a=(b=(c=1) d=2)'],
    ['two end tags', '<a><b>1</b></b></a></a>', 'a=(b=1)'],
    [
      'a < that begins no tag',
      '<a>1 < 2 <3 <-- <> </> <? <! <b </b <b x="1>" <c \'</a>',
      'a=1 < 2 <3 <-- <> </> <? <! <b </b <b x="1>" <c \'',
    ],
    ['a tag in a text', '<a><b>I <c> you</b><d>1</d></a>', 'a=(b=I <c> you d=1)'],
    ['tags in a text', '<a><b>I <c> you <d/> us</b></a>', 'a=(b=I <c> you  us(d=))'],
  ])('is read with %s', (_name, text, expected) => {
    const document = parseXml(text)
    expect(shape(document.root)).toBe(expected)
    expect(document.complete).toBe(true)
  })

  it('has a rest if its root ends too early', () => {
    const { root, rest, complete } = parseXml('<a><b>1</b></a><c>2</c></a>')
    expect([root, ...rest].map(shape)).toEqual(['a=(b=1)', 'c=2'])
    expect(complete).toBe(true)
  })

  it.each(['<a/>', '<?xml version="1.0"?>\n<x:a y="1" />', '<a></a>'])('is complete without content: %s', (text) => {
    expect(parseXml(text)).toEqual({ root: { name: 'a', text: '', children: [] }, rest: [], complete: true })
  })

  it.each([
    ['one level', '<a><b>1</b>', 'a=(b=1)'],
    ['every level', '<a><b>1', 'a=(b=)'],
    ['the end tag in its middle', '<a><b>1</b></a', 'a=(b=1)'],
    ['the end of another', '<a>1</a><b>2</b>', 'a=1'],
    ['an end tag of which only a comment speaks', '<a><b>1</b><!-- </a> -->', 'a=(b=1)'],
    ['an end tag of which only a value speaks', '<a><b><![CDATA[</a>]]></b>', 'a=(b=</a>)'],
  ])('is not complete without %s', (_name, text, expected) => {
    const document = parseXml(text)
    expect(shape(document.root)).toBe(expected)
    expect(document.complete).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['blanks', ' \r\n'],
    ['plain text', 'hello'],
    ['a lonely <', '<'],
    ['a lonely >', '>'],
    ['> before <', '> <'],
    ['a declaration alone', '<?xml version="1.0"?>'],
    ['a comment alone', '<!-- a -->'],
    ['a comment without an end', '<a><!-- x</a>'],
    ['CDATA without an end', '<a><![CDATA[x</a>'],
    ['an attribute without an end', '<a x="1></a>'],
  ])('is malformed if it is %s', (_name, text) => {
    expect(() => parseXml(text)).toThrow(MalformedMessageError)
  })
})

describe('the encoding', () => {
  it('is UTF-8 if the bytes are', () => {
    expect(decodeXml(utf8('<a>Büro 日本</a>')).root.text).toBe('Büro 日本')
  })

  it('is Latin-1 otherwise, whatever is declared (Q50)', () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="utf-8"?><a>B\xfcro</a>', 'latin1')
    expect(decodeXml(bytes).root.text).toBe('Büro')
    expect(decodeText(Uint8Array.of(0x41, 0xff))).toBe('Aÿ')
  })

  it('is UTF-8 even if Latin-1 is declared (Q50)', () => {
    expect(decodeXml(utf8('<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>')).root.text).toBe('ü')
  })
})

describe('a document type', () => {
  it.each([
    '<!DOCTYPE a><a>1</a>',
    '<!doctype html><html></html>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
    '<a><!ENTITY x "y">&x;</a>',
    '<!DX><a>1</a>',
    `<!DOCTYPE a [${'<!ENTITY x "xxxxxxxxxx">'.repeat(100)}]><a>&x;</a>`,
  ])('is refused: %j', (text) => {
    expect(() => parseXml(text)).toThrow(MalformedMessageError)
  })

  it('hidden in UTF-16 defines nothing', () => {
    const hidden = Buffer.from('<!DOCTYPE a [<!ENTITY x "secret">]><a>&x;</a>', 'utf16le')
    expect(() => decodeXml(hidden)).toThrow(MalformedMessageError)
  })
})

describe('an entity', () => {
  it.each([
    ['&lt;&gt;&amp;&quot;&apos;', `<>&"'`],
    ['&amp;lt;', '&lt;'], // once only
    ['&amp;amp;amp;', '&amp;amp;'],
    ['&#65;&#x41;&#x1F600;', 'AA😀'],
    ['&#x26;lt;', '&lt;'],
    ['&nbsp;&foo;&x', '&nbsp;&foo;&x'],
    ['&#xD800;&#xDFFF;', '&#xD800;&#xDFFF;'],
    ['&#1114112;&#x110000;&#9999999;', '&#1114112;&#x110000;&#9999999;'],
    ['&#;&#x;&;', '&#;&#x;&;'],
    ['100% & more', '100% & more'],
  ])('%s is read as %s', (text, expected) => {
    expect(decodeEntities(text)).toBe(expected)
    expect(parseXml(`<a>${text}</a>`).root.text).toBe(expected)
  })

  it('is never longer after decoding, so that nothing can multiply', () => {
    const text = '&#65;'.repeat(100_000)
    expect(parseXml(`<a>${text}</a>`).root.text).toBe('A'.repeat(100_000))
  })

  it.each(['a</x><b>', '&amp;', '<![CDATA[', '"quoted" \'text\'', ''])('written for %j is read back', (text) => {
    expect(decodeEntities(encodeEntities(text))).toBe(text)
    expect(parseXml(`<a>${encodeEntities(text)}</a>`).root.text).toBe(text)
  })

  it('is not used for quotes, because some routers would show it as it is (Q80)', () => {
    expect(encodeEntities(`"'`)).toBe(`"'`)
  })
})

describe('the bounds of a document', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)

  it('are its depth', () => {
    expect(depthOf(parseXml(nested(MAX_XML_DEPTH)).root)).toBe(MAX_XML_DEPTH)
    expect(() => parseXml(nested(MAX_XML_DEPTH + 1))).toThrow(MalformedMessageError)
  })

  it('are its depth also if the last element has no end tag', () => {
    const ending = (depth: number, last: string): string => '<a>'.repeat(depth - 1) + last + '</a>'.repeat(depth - 1)
    expect(depthOf(parseXml(ending(MAX_XML_DEPTH, '<b/>')).root)).toBe(MAX_XML_DEPTH)
    for (const last of ['<b/>', '<b x="1" />', '<b/><c/>', '<b><c/></b>'])
      expect(() => parseXml(ending(MAX_XML_DEPTH + 1, last))).toThrow(MalformedMessageError)
  })

  it.each([1000, 9000, 100_000])('hold against a depth of %d', (depth) => {
    expect(() => parseXml(nested(depth))).toThrow(MalformedMessageError)
    expect(() => parseXml('<a>'.repeat(depth))).toThrow(MalformedMessageError)
  })

  it('are the number of its nodes', () => {
    const wide = (count: number): string => `<a>${'<b/>'.repeat(count)}</a>`
    expect(parseXml(wide(MAX_XML_NODES - 2)).root.children).toHaveLength(MAX_XML_NODES - 2)
    expect(() => parseXml(wide(MAX_XML_NODES - 1))).toThrow(MalformedMessageError)
    expect(() => parseXml(wide(1_000_000))).toThrow(MalformedMessageError)
  })

  it.each([
    ['tag name', (length: number) => `<${'n'.repeat(length)}>1</${'n'.repeat(length)}>`],
    ['tag name of parentheses', (length: number) => `<${'('.repeat(length)}>1</a>`],
    ['attribute', (length: number) => `<a x="${'v'.repeat(length)}">1</a>`],
    ['row of blanks in an end tag', (length: number) => `<a>1</a${' '.repeat(length)}>`],
    ['row of attributes in an instruction', (length: number) => `<?x ${'a '.repeat(length / 2)}?><a>1</a>`],
    ['row of open quotes', (length: number) => `<a ${`x='`.repeat(length / 3)}>1</a>`],
    ['row of colons', (length: number) => `<a></${':'.repeat(length)}></${'a:'.repeat(length / 2)}></a>`],
    ['row of blanks before an end', (length: number) => `<a></${' '.repeat(length)}a></${' '.repeat(length)}</a>`],
  ])('hold against a %s of a megabyte', (_name, write) => {
    const error = thrownBy(() => parseXml(write(1_000_000)))
    if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
  })
})

describe('the name of an element', () => {
  it.each(NAMES_OF_OBJECTS)('can be %s, which is a name like any other', (name) => {
    const { root } = parseXml(`<r><a>1</a><${name}>2</${name}><x:${name}/><${name}><${name}>3</${name}></${name}></r>`)
    expect(shape(root)).toBe(`r=(a=1 ${name}=2 ${name}= ${name}=(${name}=3))`)
    expect(shape(parseXml(`<${name}><ok>2</ok></${name}>`).root)).toBe(`${name}=(ok=2)`)
    expect(childNamed(root, name)?.text).toBe('2')
  })

  it.each(NAMES_OF_OBJECTS)('is none of a child if that is %s, which no element has', (name) => {
    expect(childNamed(parseXml('<r><a>1</a></r>').root, name)).toBeUndefined()
  })

  it.each([...NAMES_OF_OBJECTS, '#text', '#cdata', ':@', '!xml', '', ' ', '/', 'a:b:c'])(
    'can be %j without harm: it is read or refused',
    (name) => {
      for (const text of [`<r><${name}>1</${name}><ok>2</ok></r>`, `<${name}><ok>2</ok></${name}>`]) {
        const error = thrownBy(() => parseXml(text))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
      expect(Object.keys(Object.prototype)).toEqual([])
      expect(({} as Record<string, unknown>).ok).toBeUndefined()
    },
  )

  it('is compared without case in the search for a child', () => {
    const { root } = parseXml('<a><NewUpTime>1</NewUpTime></a>')
    expect(childNamed(root, 'NewUptime')?.text).toBe('1')
    expect(childNamed(root, 'NewUptimes')).toBeUndefined()
  })
})

describe('decodeXml', () => {
  const GOOD = utf8(
    '\ufeff<?xml version="1.0"?>\r\n<!-- c --><x:a xmlns:x="u" y=\'1\'><b>1 &amp; 2</b><![CDATA[<z>]]><c/></x:a>\0',
  )

  it('throws nothing but MalformedMessageError for any beginning of a document', () => {
    for (const part of truncations(GOOD)) {
      const error = thrownBy(() => decodeXml(part))
      if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
    }
  })

  it('throws nothing but MalformedMessageError if one byte is wrong', () => {
    const random = randomFrom(1)
    for (let round = 0; round < 20; round++) {
      for (const spoilt of mutations(GOOD, random)) {
        const error = thrownBy(() => decodeXml(spoilt))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })

  it('throws nothing but MalformedMessageError for noise, also noise made of XML', () => {
    const random = randomFrom(2)
    const crumbs = [
      '<',
      '>',
      '</',
      '/>',
      'a',
      ':',
      ' ',
      '"',
      "'",
      '=',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '&',
      ';',
      '#',
      '<!',
      '\0',
      '\n',
      '__proto__',
      '<a>',
      '</a>',
    ]
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random() * 40 }, () => crumbs[Math.floor(random() * crumbs.length)]).join('')
      for (const noise of [randomBytes(random, random() * 200), utf8(text)]) {
        const error = thrownBy(() => decodeXml(noise))
        if (error !== undefined) expect(error).toBeInstanceOf(MalformedMessageError)
      }
    }
  })
})

describe('encodeXml', () => {
  it('writes an element with its children, or with its text', () => {
    const leaf = { name: 'b', text: '1 < 2', children: [] }
    expect(encodeXml({ name: 'a', text: '', children: [leaf, leaf] })).toBe('<a><b>1 &lt; 2</b><b>1 &lt; 2</b></a>')
  })
})

describe('endsWithRoot', () => {
  it.each([
    '<root></root>',
    '<root></root>\r\n\0\0',
    '</s:Envelope>',
    '</SOAP-ENV:Envelope >\n',
    '</envelope>',
    `${'x'.repeat(10_000)}</scpd>`,
  ])('sees the end of %j', (text) => {
    expect(endsWithRoot(utf8(text))).toBe(true)
  })

  it.each(['', '<root>', '</root', '</roots>', '</root><', '</s:Envelope>HTTP/1.1 200 OK', '</s:Body>', '</html>'])(
    'sees no end in %j',
    (text) => {
      expect(endsWithRoot(utf8(text))).toBe(false)
    },
  )
})
