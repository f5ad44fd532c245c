#!/usr/bin/env bash
# Uses curl for some seconds: curl.sh post|basic|socket URL SECONDS. SOCKET is the path of the endpoint's Unix socket.
set -euo pipefail
how=$1 url=$2 end=$((SECONDS + $3))

# The secret is in no argument: curl reads its options from a pipe.
log_in() {
	case $how in
	post) curl -sSf -d @- "$SH_TOKEN_URL" <<<"grant_type=client_credentials&client_id=$SH_CLIENT_ID&client_secret=$SH_CLIENT_SECRET" ;;
	basic) curl -sSf -K - -d grant_type=client_credentials "$SH_TOKEN_URL" <<<"user = \"$SH_CLIENT_ID:$SH_CLIENT_SECRET\"" ;;
	socket) curl -sSf -K - -d grant_type=client_credentials --unix-socket "$SOCKET" http://localhost/token <<<"user = \"$SH_CLIENT_ID:$SH_CLIENT_SECRET\"" ;;
	esac
}

asked=0 failed=
while [ $SECONDS -lt $end ]; do
	asked=$((asked + 1))
	token=$(log_in | sed 's/.*"access_token":"\([^"]*\)".*/\1/') &&
		curl -sSf -o /dev/null -H @<(echo "Authorization: Bearer $token") "$url" || failed=$failed\"$?\",
	sleep 0.2
done
echo "{\"asked\": $asked, \"failed\": [${failed%,}]}"
