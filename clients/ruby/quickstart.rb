# Rates an item and is recommended others. Usage: ruby quickstart.rb [VALUE]

require 'securerandom'
require 'google/protobuf/well_known_types'
require 'accrete/v1/recommender_services_pb'
require 'google/rpc/error_details_pb'

include Accrete::V1

address = ENV.fetch('ACCRETE_ADDRESS', '')
address = '127.0.0.1:50051' if address.empty?
config = File.expand_path('../service-config.json', __dir__)
client = RecommenderService::Stub.new(
  address, :this_channel_is_insecure,
  channel_args: { 'grpc.service_config' => File.read(config), 'grpc.enable_retries' => 1 }, timeout: 10
)
begin
  rating = Rating.new(user_id: 'rudi', item_id: 'solaris', value: Float(ARGV.fetch(0, 5)))
  rated = client.rate(RateRequest.new(request_id: SecureRandom.uuid, ratings: [rating]))
  answer = client.recommend(RecommendRequest.new(user_id: 'rudi', min_revision: rated.revision))
  puts "model #{answer.model}"
  answer.items.each { |item| puts "#{item.item_id} #{item.score}" }
rescue GRPC::BadStatus => error
  info = error.to_rpc_status.details.find { |detail| detail.is(Google::Rpc::ErrorInfo) }
  abort "#{info&.unpack(Google::Rpc::ErrorInfo)&.reason} #{error.message}"
end
