/** Imports the package, and prints what that has used: calls of Node's modules and of timers, and what is still open. */
import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import fs from 'node:fs'
import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import os from 'node:os'

const used = []
/** Node reads packages itself. What is read by a descriptor was opened first. */
const isOfPackages = (path) => typeof path === 'number' || /[\\/]node_modules[\\/]/.test(decodeURI(String(path)))

function watch(name, object, keys = Object.keys(object)) {
  for (const key of keys) {
    const original = object[key]
    const { writable } = Object.getOwnPropertyDescriptor(object, key) ?? { writable: true }
    if (typeof original !== 'function' || /^[A-Z_]/.test(key) || writable !== true) continue
    object[key] = function (...args) {
      if (!isOfPackages(args[0])) used.push(`${name}.${key}`)
      return Reflect.apply(original, this, args)
    }
  }
}

for (const [name, module] of Object.entries({ childProcess, dgram, fs, http, net, os })) watch(name, module)
watch('globalThis', globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'fetch'])
watch('process', process, ['on', 'once', 'addListener'])
watch('console', console)
watch('stdout', process.stdout, ['write'])
watch('stderr', process.stderr, ['write'])
syncBuiltinESMExports()

const before = process.getActiveResourcesInfo()
const globals = Object.keys(globalThis)
for (const door of ['upnp-ts', 'upnp-ts/emulator', 'upnp-ts/wire']) await import(door)
const after = process.getActiveResourcesInfo()
const news = Object.keys(globalThis).filter((name) => !globals.includes(name))
const calls = [...used]
console.log(JSON.stringify({ calls, news, before, after }))
