// Uses simple-oauth2 for some seconds: simple-oauth2.mjs body|header URL SECONDS.
import { ClientCredentials } from "simple-oauth2"

import { run } from "./run.mjs"

const { SH_TOKEN_URL, SH_CLIENT_ID, SH_CLIENT_SECRET } = process.env
const client = new ClientCredentials({
    client: { id: SH_CLIENT_ID, secret: SH_CLIENT_SECRET },
    auth: { tokenHost: new URL(SH_TOKEN_URL).origin, tokenPath: new URL(SH_TOKEN_URL).pathname },
    options: { authorizationMethod: process.argv[2] },
})

let token
await run(async (url) => {
    if (!token || token.expired(2)) token = await client.getToken({})
    return fetch(url, { headers: { authorization: `Bearer ${token.token.access_token}` } })
})
