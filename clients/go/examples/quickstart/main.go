// Rates an item and is recommended others. Usage: go run ./examples/quickstart [VALUE]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"accrete.example/accrete"
	"accrete.example/accrete/accretev1"
)

func main() {
	log.SetFlags(0)
	value, err := strconv.ParseFloat(append(os.Args, "5")[1], 64)
	check(err)
	client, err := accrete.Connect("")
	check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	rated, err := client.Rate(ctx, &accretev1.Rating{UserId: "gus", ItemId: "solaris", Value: &value})
	check(err)
	answer, err := client.Recommender.Recommend(ctx, &accretev1.RecommendRequest{
		Subject: &accretev1.RecommendRequest_UserId{UserId: "gus"}, MinRevision: rated.Revision})
	check(err)
	fmt.Println("model", answer.Model)
	for _, item := range answer.Items {
		fmt.Println(item.ItemId, item.Score)
	}
}

func check(err error) {
	if err != nil {
		log.Fatalln(err)
	}
}
