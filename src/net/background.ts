/** Work in the background: its timers and sockets do not keep the process alive. Whoever wants that holds it. */
import { backgroundClock, type Clock } from './clock.js'
import type { HttpServers } from './http/server.js'
import type { ClientNet } from './network.js'

/** The same network, with everything in the background. */
export function inBackground<N extends ClientNet & { readonly httpServers: HttpServers }>(net: N): N {
  const { clock, datagrams, http, httpServers } = net
  return {
    ...net,
    clock: backgroundClock(clock),
    datagrams: {
      open: (options) => datagrams.open({ ...options, isBackground: true }),
      connect: (options) => datagrams.connect({ ...options, isBackground: true }),
    },
    http: { request: (request) => http.request({ ...request, isBackground: true }) },
    httpServers: { listen: (options) => httpServers.listen({ ...options, isBackground: true }) },
  }
}

const DAY_MS = 86_400_000

/** Keeps the process alive until the returned function is called. */
export function holdProcess(clock: Clock): () => void {
  let cancel = (): void => {}
  const hold = (): void => {
    cancel = clock.schedule(DAY_MS, hold)
  }
  hold()
  return () => cancel()
}
