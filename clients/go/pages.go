package accrete

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Pages gives the pages of an answer, one after the other:
//
//	for page, err := range accrete.Pages(ctx, client.Users.ListRatings, request) {
//
// An error is the last thing that comes.
func Pages[Request proto.Message, Page interface{ GetNextPageToken() string }](
	ctx context.Context,
	call func(context.Context, Request, ...grpc.CallOption) (Page, error),
	request Request,
	options ...grpc.CallOption,
) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		next := proto.CloneOf(request)
		field := next.ProtoReflect().Descriptor().Fields().ByName("page_token")
		for {
			page, err := call(ctx, next, options...)
			if !yield(page, err) || err != nil || page.GetNextPageToken() == "" {
				return
			}
			next.ProtoReflect().Set(field, protoreflect.ValueOfString(page.GetNextPageToken()))
		}
	}
}
