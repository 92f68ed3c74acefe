/** `npm run pictures`. Node 20 does not know TypeScript, so the hooks come first. */
import { register } from 'node:module'

register('../bench/typescript-hooks.js', import.meta.url)
const { main } = await import('./main.ts')
await main()
