// A round through the API with AWS's SDK for JavaScript: round.cjs ENDPOINT TABLE prints what it saw as one JSON object. round.py is the same.
"use strict"
const ddb = require("@aws-sdk/client-dynamodb")
const streams = require("@aws-sdk/client-dynamodb-streams")

const [endpoint, TableName] = process.argv.slice(2)
const options = { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" }, maxAttempts: 1 }
const db = new ddb.DynamoDBClient(options)
const feed = new streams.DynamoDBStreamsClient(options)
const saw = {}

const item = (id, more) => ({ id: { S: id }, team: { S: "red" }, ...more })

async function failure(call) {
  try {
    await call
  } catch (e) {
    return e
  }
  throw new Error("nothing failed")
}

async function round() {
  await db.send(new ddb.CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }, { AttributeName: "team", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    GlobalSecondaryIndexes: [{ IndexName: "byteam", KeySchema: [{ AttributeName: "team", KeyType: "HASH" }, { AttributeName: "id", KeyType: "RANGE" }], Projection: { ProjectionType: "ALL" } }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  }))
  await ddb.waitUntilTableExists({ client: db, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName })

  const whole = item("a", {
    n: { N: "1.50" }, b: { B: Uint8Array.of(0, 255) }, t: { BOOL: true }, nul: { NULL: true }, ss: { SS: ["x", "y"] }, ns: { NS: ["1", "2"] },
    l: { L: [{ S: "é😀" }, { M: { k: { N: "-7" } } }] },
  })
  await db.send(new ddb.PutItemCommand({ TableName, Item: whole }))
  const got = await db.send(new ddb.GetItemCommand({ TableName, Key: { id: { S: "a" } }, ConsistentRead: true }))
  got.Item.b = { B: Buffer.from(got.Item.b.B).toString("base64") }
  got.Item.ss.SS.sort()
  got.Item.ns.NS.sort()
  saw.item = got.Item

  const refused = await failure(db.send(new ddb.PutItemCommand({
    TableName, Item: item("a"), ConditionExpression: "attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" })))
  saw.condition = [refused.name, refused.message, refused.Item.n]
  const invalid = await failure(db.send(new ddb.GetItemCommand({ TableName, Key: { other: { S: "a" } } })))
  saw.invalid = [invalid.name, invalid.message]

  const updated = await db.send(new ddb.UpdateItemCommand({
    TableName, Key: { id: { S: "a" } }, UpdateExpression: "SET n = n + :one REMOVE #l", ExpressionAttributeNames: { "#l": "l" },
    ExpressionAttributeValues: { ":one": { N: "1" } }, ReturnValues: "UPDATED_NEW" }))
  saw.updated = updated.Attributes

  await db.send(new ddb.BatchWriteItemCommand({ RequestItems: { [TableName]: ["b", "c", "d"].map(id => ({ PutRequest: { Item: item(id) } })) } }))
  saw.pages = []
  const query = { TableName, IndexName: "byteam", KeyConditionExpression: "team = :t", ExpressionAttributeValues: { ":t": { S: "red" } }, Limit: 3 }
  for await (const page of ddb.paginateQuery({ client: db }, query)) saw.pages.push(page.Items.map(i => i.id.S))
  const read = await db.send(new ddb.BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: ["b", "c", "zz"].map(id => ({ id: { S: id } })) } } }))
  saw.batch = read.Responses[TableName].map(i => i.id.S).sort()

  const canceled = await failure(db.send(new ddb.TransactWriteItemsCommand({ TransactItems: [
    { Delete: { TableName, Key: { id: { S: "b" } } } },
    { ConditionCheck: { TableName, Key: { id: { S: "zz" } }, ConditionExpression: "attribute_exists(id)" } },
  ] })))
  saw.canceled = [canceled.name, canceled.CancellationReasons.map(r => r.Code)]
  await db.send(new ddb.TransactWriteItemsCommand({ TransactItems: [{ Delete: { TableName, Key: { id: { S: "b" } } } }, { Put: { TableName, Item: item("e") } }] }))
  const scanned = await db.send(new ddb.ScanCommand({ TableName, FilterExpression: "begins_with(team, :r)", ExpressionAttributeValues: { ":r": { S: "r" } }, ProjectionExpression: "id" }))
  saw.scanned = scanned.Items.map(i => i.id.S).sort()

  const { Streams } = await feed.send(new streams.ListStreamsCommand({ TableName }))
  const StreamArn = Streams[0].StreamArn
  const { StreamDescription } = await feed.send(new streams.DescribeStreamCommand({ StreamArn }))
  const { ShardIterator } = await feed.send(new streams.GetShardIteratorCommand({ StreamArn, ShardId: StreamDescription.Shards[0].ShardId, ShardIteratorType: "TRIM_HORIZON" }))
  const { Records } = await feed.send(new streams.GetRecordsCommand({ ShardIterator }))
  saw.records = Records.map(r => r.eventName + " " + r.dynamodb.Keys.id.S)

  await db.send(new ddb.DeleteTableCommand({ TableName }))
  await ddb.waitUntilTableNotExists({ client: db, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName })
}

round().then(() => console.log(JSON.stringify(saw)), e => {
  console.error(e)
  process.exitCode = 1
})
