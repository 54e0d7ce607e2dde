// Package accrete is a client of Accrete, a recommender server that learns from every rating before it answers the call
// that brought it.
//
// Package [accretev1] has the messages and services of the contract; a [Client] has them over one connection with
// defaults that suit: TLS, retries, deadlines, typed errors.
//
// [accretev1]: https://pkg.go.dev/accrete.example/accrete/accretev1
package accrete

import (
	"cmp"
	"context"
	"crypto/tls"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"time"

	"accrete.example/accrete/accretev1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// DefaultAddress is where a server listens unless configured.
const DefaultAddress = "127.0.0.1:50051"

// Which calls are repeated, and how long quick ones may take: the same for clients in every language.
//
//go:embed service-config.json
var serviceConfig string

var loopback = regexp.MustCompile(`^(unix(-abstract)?:|(dns:/*)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$))`)

// Client has the services of a server. Its calls fail with an [*Error]; those that are safe to repeat are repeated while
// the server is unavailable for a moment. It may be used by many goroutines at once.
type Client struct {
	Recommender accretev1.RecommenderServiceClient
	Models      accretev1.ModelServiceClient
	Users       accretev1.UserServiceClient
	Catalog     accretev1.CatalogServiceClient
	Imports     accretev1.ImportServiceClient
	Experiments accretev1.ExperimentServiceClient

	connection *grpc.ClientConn
}

// Option changes how [Connect] connects.
type Option func(*settings)

type settings struct {
	tls       *tls.Config
	plaintext bool
	token     TokenSource
	dial      []grpc.DialOption
}

// TokenSource gives the bearer token for a call.
type TokenSource func(context.Context) (string, error)

// WithTLS secures the connection: with a certificate authority of one's own, or a certificate that says who calls (mTLS).
// Without it, a connection to another machine is secured by what the system trusts.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.tls = config }
}

// WithPlaintext leaves the connection unsecured, where something else secures the way to another machine.
func WithPlaintext() Option {
	return func(s *settings) { s.plaintext = true }
}

// WithToken says who calls.
func WithToken(token string) Option {
	return WithTokenSource(func(context.Context) (string, error) { return token, nil })
}

// WithTokenSource says who calls, by a token that may change from call to call.
func WithTokenSource(source TokenSource) Option {
	return func(s *settings) { s.token = source }
}

// WithDialOptions adds options of gRPC; they go before those that are set here.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, options...) }
}

// Connect connects to a server; the first call opens the connection. The address is host:port or unix:path; if it is
// empty, the environment's ACCRETE_ADDRESS or [DefaultAddress].
func Connect(address string, options ...Option) (*Client, error) {
	var s settings
	for _, option := range options {
		option(&s)
	}
	address = cmp.Or(address, os.Getenv("ACCRETE_ADDRESS"), DefaultAddress)
	isLocal := loopback.MatchString(address)
	isPlaintext := s.tls == nil && (s.plaintext || isLocal)
	if s.token != nil && isPlaintext && !isLocal {
		return nil, fmt.Errorf("accrete: a token would cross the network in the clear to %s: leave out WithPlaintext", address)
	}
	security := credentials.NewTLS(s.tls)
	if isPlaintext {
		security = insecure.NewCredentials()
	}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(security),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// A dead connection is noticed within half a minute while calls are under way.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// A server that was restarted is found again at once.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithChainUnaryInterceptor(unaryInterceptor(s.token)),
		grpc.WithChainStreamInterceptor(streamInterceptor(s.token)),
	}, s.dial...)
	connection, err := grpc.NewClient(address, dial...)
	if err != nil {
		return nil, fmt.Errorf("accrete: %w", err)
	}
	return &Client{
		Recommender: accretev1.NewRecommenderServiceClient(connection),
		Models:      accretev1.NewModelServiceClient(connection),
		Users:       accretev1.NewUserServiceClient(connection),
		Catalog:     accretev1.NewCatalogServiceClient(connection),
		Imports:     accretev1.NewImportServiceClient(connection),
		Experiments: accretev1.NewExperimentServiceClient(connection),
		connection:  connection,
	}, nil
}

// Close ends the connection, and with it the calls that are under way.
func (c *Client) Close() error { return c.connection.Close() }

// Connection is what the calls go over, for services beside those of the contract (health, reflection).
func (c *Client) Connection() grpc.ClientConnInterface { return c.connection }

// Rate learns a batch of ratings: all of it or none, and once, however often it has to be sent.
func (c *Client) Rate(ctx context.Context, ratings ...*accretev1.Rating) (*accretev1.RateResponse, error) {
	return c.Recommender.Rate(ctx, &accretev1.RateRequest{Ratings: ratings})
}

// WaitForRevision waits until what was answered with this revision, to anybody, is part of recommendations.
func (c *Client) WaitForRevision(ctx context.Context, revision string) error {
	listed, err := c.Models.ListModels(ctx, &accretev1.ListModelsRequest{PageSize: 1000})
	if err != nil {
		return err
	}
	// It ranks nothing, and waits. The default model is named, so that it is outside every experiment.
	request := &accretev1.RecommendRequest{
		Subject:          &accretev1.RecommendRequest_UserId{UserId: "-"},
		CandidateItemIds: []string{"-"},
		PageSize:         1,
		IncludeSeen:      new(true),
		MinRevision:      revision,
	}
	for _, model := range listed.Models {
		if model.IsDefault {
			request.Model = model.Name
		}
	}
	_, err = c.Recommender.Recommend(ctx, request)
	return err
}
