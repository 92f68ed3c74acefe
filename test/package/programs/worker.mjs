/** The package, imported in a worker thread. */
import { Worker } from 'node:worker_threads'

new Worker(new URL('./use.mjs', import.meta.url))
