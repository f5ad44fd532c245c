# The program and the certificate authorities, nothing else:
#   docker build --build-arg REVISION=$(git rev-parse HEAD) -t shsession .
#   docker run --rm -e SH_CLIENT_ID -e SH_CLIENT_SECRET shsession info
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH REVISION
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -X main.revision=$REVISION" -o /shsession ./cmd/shsession

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /shsession /shsession
USER 65532:65532
ENTRYPOINT ["/shsession"]
CMD ["share"]
