// The main process of an Electron application: the port is closed before the application ends.
import { app } from 'electron'
import { openPort } from 'upnp-ts'

await app.whenReady()
const port = await openPort(25565, { description: app.getName() })

app.once('before-quit', (event) => {
  event.preventDefault()
  port.close().finally(() => app.quit())
})
