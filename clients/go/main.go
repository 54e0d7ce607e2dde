// Rates an item and is recommended others. Usage: go run . [VALUE]
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	accrete "example/accrete/gen/accrete/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Both calls are safe to repeat: Rate has a request id.
const retries = `{"methodConfig": [{
	"name": [{"service": "accrete.v1.RecommenderService", "method": "Rate"},
		{"service": "accrete.v1.RecommenderService", "method": "Recommend"}],
	"retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

func main() {
	address := cmp.Or(os.Getenv("ACCRETE_ADDRESS"), "127.0.0.1:50051")
	value, err := strconv.ParseFloat(append(os.Args, "5")[1], 64)
	check(err)
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(retries))
	check(err)
	defer connection.Close()
	client := accrete.NewRecommenderServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	rating := &accrete.Rating{UserId: "gus", ItemId: "solaris", Value: &value}
	rated, err := client.Rate(ctx, &accrete.RateRequest{RequestId: rand.Text(), Ratings: []*accrete.Rating{rating}})
	check(err)
	answer, err := client.Recommend(ctx, &accrete.RecommendRequest{
		Subject: &accrete.RecommendRequest_UserId{UserId: "gus"}, MinRevision: rated.Revision})
	check(err)
	fmt.Println("model", answer.Model)
	for _, item := range answer.Items {
		fmt.Println(item.ItemId, item.Score)
	}
}

// Ends with the error and, of one that the server answered, its reason.
func check(err error) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			log.Fatalln(info.Reason, err)
		}
	}
	if err != nil {
		log.Fatalln(err)
	}
}
