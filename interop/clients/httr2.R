# Uses httr2 for some seconds: httr2.R body|header URL SECONDS.
library(httr2)
args <- commandArgs(trailingOnly = TRUE)
client <- oauth_client(
  id = Sys.getenv("SH_CLIENT_ID"), secret = Sys.getenv("SH_CLIENT_SECRET"),
  token_url = Sys.getenv("SH_TOKEN_URL"), auth = args[1], name = args[1]
)
request <- request(args[2]) |> req_oauth_client_credentials(client)
end <- Sys.time() + as.numeric(args[3])
asked <- 0
failed <- character()
while (Sys.time() < end) {
  asked <- asked + 1
  tryCatch(req_perform(request), error = function(e) failed <<- c(failed, conditionMessage(e)))
  Sys.sleep(0.2)
}
cat(jsonlite::toJSON(list(asked = jsonlite::unbox(asked), failed = failed)))
