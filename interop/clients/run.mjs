// run asks a URL five times a second, for as long as the last argument says, and prints how many requests there were and
// which failed.
import { setTimeout } from "node:timers/promises"

export async function run(ask) {
    const [url, seconds] = process.argv.slice(-2)
    const end = Date.now() + 1000 * seconds
    const failed = []
    let asked = 0
    for (; Date.now() < end; await setTimeout(200)) {
        asked++
        try {
            const response = await ask(url)
            if (!response.ok) failed.push(response.statusText)
            await response.arrayBuffer()
        } catch (error) {
            failed.push(String(error?.cause ?? error))
        }
    }
    process.stdout.write(JSON.stringify({ asked, failed }))
}
