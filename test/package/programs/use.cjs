/** The package, required. */
const library = require('upnp-ts')
const emulation = require('upnp-ts/emulator')
const { decodeNatPmpRequest, encodeNatPmpRequest } = require('upnp-ts/wire')

const { kind } = decodeNatPmpRequest(encodeNatPmpRequest({ kind: 'external-address-request' }))
import('./open-and-close.mjs')
  .then(({ openAndClose }) => openAndClose(library, emulation))
  .then((protocols) => console.log(JSON.stringify([kind, ...protocols])))
