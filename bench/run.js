/** `npm run bench`. Node 20 does not know TypeScript, so the hooks come first. */
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
