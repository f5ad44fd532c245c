// Uses openid-client for some seconds: openid-client.mjs post|basic URL SECONDS.
import * as oidc from "openid-client"

import { run } from "./run.mjs"

const { SH_TOKEN_URL, SH_CLIENT_ID, SH_CLIENT_SECRET } = process.env
const authentication = { post: oidc.ClientSecretPost, basic: oidc.ClientSecretBasic }[process.argv[2]](SH_CLIENT_SECRET)
const config = await oidc.discovery(new URL("/", SH_TOKEN_URL), SH_CLIENT_ID, undefined, authentication,
    { execute: [oidc.allowInsecureRequests] })

let tokens
await run(async (url) => {
    if (!(tokens?.expiresIn() > 2)) tokens = await oidc.clientCredentialsGrant(config)
    return fetch(url, { headers: { authorization: `Bearer ${tokens.access_token}` } })
})
