"""A round through the API with AWS's SDK for Python: round.py ENDPOINT TABLE prints what it saw as one JSON object. round.cjs is the same."""

import base64
import json
import sys

import boto3
from botocore.config import Config

endpoint, table = sys.argv[1:]
options = dict(
    endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
    config=Config(retries={"total_max_attempts": 1}),
)
db = boto3.client("dynamodb", **options)
feed = boto3.client("dynamodbstreams", **options)
saw = {}


def item(id, **more):
    return {"id": {"S": id}, "team": {"S": "red"}, **more}


def failure(call, **arguments):
    try:
        call(**arguments)
    except (db.exceptions.ClientError) as e:
        return e.response
    raise AssertionError("nothing failed")


db.create_table(
    TableName=table, BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "team", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    GlobalSecondaryIndexes=[{
        "IndexName": "byteam", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "team", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    }],
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
)
db.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})

db.put_item(TableName=table, Item=item(
    "a", n={"N": "1.50"}, b={"B": b"\x00\xff"}, t={"BOOL": True}, nul={"NULL": True}, ss={"SS": ["x", "y"]}, ns={"NS": ["1", "2"]},
    l={"L": [{"S": "é😀"}, {"M": {"k": {"N": "-7"}}}]},
))
got = db.get_item(TableName=table, Key={"id": {"S": "a"}}, ConsistentRead=True)["Item"]
got["b"] = {"B": base64.b64encode(got["b"]["B"]).decode()}
got["ss"]["SS"].sort()
got["ns"]["NS"].sort()
saw["item"] = got

refused = failure(
    db.put_item, TableName=table, Item=item("a"), ConditionExpression="attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure="ALL_OLD")
saw["condition"] = [refused["Error"]["Code"], refused["Error"]["Message"], refused["Item"]["n"]]
invalid = failure(db.get_item, TableName=table, Key={"other": {"S": "a"}})
saw["invalid"] = [invalid["Error"]["Code"], invalid["Error"]["Message"]]

saw["updated"] = db.update_item(
    TableName=table, Key={"id": {"S": "a"}}, UpdateExpression="SET n = n + :one REMOVE #l", ExpressionAttributeNames={"#l": "l"},
    ExpressionAttributeValues={":one": {"N": "1"}}, ReturnValues="UPDATED_NEW")["Attributes"]

db.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item(id)}} for id in ("b", "c", "d")]})
pages = db.get_paginator("query").paginate(
    TableName=table, IndexName="byteam", KeyConditionExpression="team = :t", ExpressionAttributeValues={":t": {"S": "red"}}, Limit=3)
saw["pages"] = [[i["id"]["S"] for i in page["Items"]] for page in pages]
read = db.batch_get_item(RequestItems={table: {"Keys": [{"id": {"S": id}} for id in ("b", "c", "zz")]}})
saw["batch"] = sorted(i["id"]["S"] for i in read["Responses"][table])

canceled = failure(db.transact_write_items, TransactItems=[
    {"Delete": {"TableName": table, "Key": {"id": {"S": "b"}}}},
    {"ConditionCheck": {"TableName": table, "Key": {"id": {"S": "zz"}}, "ConditionExpression": "attribute_exists(id)"}},
])
saw["canceled"] = [canceled["Error"]["Code"], [r["Code"] for r in canceled["CancellationReasons"]]]
db.transact_write_items(TransactItems=[{"Delete": {"TableName": table, "Key": {"id": {"S": "b"}}}}, {"Put": {"TableName": table, "Item": item("e")}}])
scanned = db.scan(TableName=table, FilterExpression="begins_with(team, :r)", ExpressionAttributeValues={":r": {"S": "r"}}, ProjectionExpression="id")
saw["scanned"] = sorted(i["id"]["S"] for i in scanned["Items"])

stream = feed.list_streams(TableName=table)["Streams"][0]["StreamArn"]
shard = feed.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
iterator = feed.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
records = feed.get_records(ShardIterator=iterator)["Records"]
saw["records"] = [r["eventName"] + " " + r["dynamodb"]["Keys"]["id"]["S"] for r in records]

db.delete_table(TableName=table)
db.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
print(json.dumps(saw))
