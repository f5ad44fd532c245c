// Package ratelimit shares one account's rate limits: among the goroutines of a process, the
// processes of a machine, or many machines.
//
// [ParsePolicy] reads what the service allows, such as 300/min,300pu/min,4. [New] makes a
// [Limiter], with a [State] that all members have in common: [OpenFile] for a machine,
// redisstore.Store.Limits for a cluster. [Transport] returns an http.RoundTripper that waits
// for the limiter:
//
//	limiter, err := ratelimit.New(ratelimit.Config{Policy: policy, State: store.Limits()})
//	client := &http.Client{Transport: ratelimit.Transport(session.Transport(nil), limiter)}
//
// For other protocols, [Limiter.Reserve] waits, and [Reservation.Done] takes the outcome.
//
// A Limiter never refuses a request: it waits, within the request's context. Without a
// policy it learns the limit. The first 429 pauses all members until its Retry-After has
// passed; then requests go one by one, faster after each success and slower after each
// further 429.
package ratelimit
