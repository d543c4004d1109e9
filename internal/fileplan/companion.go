package fileplan

import "streamgen/internal/spec"

// What gen makes in AWS for the runtime of a function alone: the queue of parked records and the table of records that are done. The
// function gets their names, and does not refer to them, as [Handler.Function] says.

// ParkingQueueBlock is the body of the parking queue's resource. A message has the whole event of a record, with both images, and SQS takes 1 MiB.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
func (h Handler) ParkingQueueBlock() Block {
	list := []Argument{
		{"name", h.ParkingQueueName()},
		{"message_retention_seconds", h.ParkingQueue.MessageRetention},
		{"max_message_size", 1 << 20},
	}
	return Block{Arguments: h.tagged(append(list, queueEncryption(h.ParkingQueue.KMSKeyARN)))}
}

// ParkingQueueName is the queue's name in AWS.
func (h Handler) ParkingQueueName() any { return h.Prefixed(h.FunctionName + spec.ParkingSuffix) }

// ParkingLocal is the queue's name in terraform.
func (h Handler) ParkingLocal() string { return h.Local + "_parked" }

func queueEncryption(kmsKeyARN string) Argument {
	if kmsKeyARN == "" {
		return Argument{"sqs_managed_sse_enabled", true}
	}
	return Argument{"kms_master_key_id", kmsKeyARN}
}

// IdempotencyBlock is the body of the resource of the table of records that are done. Its items are worth nothing once the stream has lost
// their records, after a day: there is nothing to protect or to back up.
func (h Handler) IdempotencyBlock() Block {
	return Block{
		Arguments: h.tagged([]Argument{
			{"name", h.IdempotencyName()},
			{"billing_mode", "PAY_PER_REQUEST"},
			{"hash_key", "id"},
		}),
		Blocks: []Block{
			{Name: "attribute", Arguments: []Argument{{"name", "id"}, {"type", "S"}}},
			{Name: "ttl", Arguments: []Argument{{"attribute_name", "expires_at"}, {"enabled", true}}},
		},
	}
}

// IdempotencyName is the table's name in AWS.
func (h Handler) IdempotencyName() any { return h.Prefixed(h.FunctionName + spec.IdempotencySuffix) }

// IdempotencyLocal is the table's name in terraform.
func (h Handler) IdempotencyLocal() string { return h.Local + "_idempotency" }

func (h Handler) parkingAddress() string { return "aws_sqs_queue." + h.ParkingLocal() }

func (h Handler) idempotencyAddress() string { return "aws_dynamodb_table." + h.IdempotencyLocal() }

// companionAddresses are their resources in terraform.
func (h Handler) companionAddresses() []string {
	var list []string
	if h.ParkingQueue.Enabled {
		list = append(list, h.parkingAddress())
	}
	if h.Idempotency {
		list = append(list, h.idempotencyAddress())
	}
	return list
}

// companionStatements let the runtime use them: what packages streamsqs and streamdynamodb call.
func (h Handler) companionStatements() []Statement {
	var statements []Statement
	if h.ParkingQueue.Enabled {
		statements = append(statements, Statement{
			Actions: []string{"sqs:GetQueueUrl", "sqs:SendMessage"}, Resources: []any{Expression(h.parkingAddress() + ".arn")},
		})
		if key := h.ParkingQueue.KMSKeyARN; key != "" {
			statements = append(statements, useKeys([]any{key}, viaService("sqs"), "kms:Decrypt", "kms:GenerateDataKey")...)
		}
	}
	if h.Idempotency {
		statements = append(statements, Statement{
			Actions:   []string{"dynamodb:DeleteItem", "dynamodb:PutItem"},
			Resources: []any{Expression(h.idempotencyAddress() + ".arn")},
		})
	}
	return statements
}

// companionVariables are the environment variables that hold their names.
func (h Handler) companionVariables() []Argument {
	var list []Argument
	if h.ParkingQueue.Enabled {
		list = append(list, Argument{spec.ParkingVariable, h.ParkingQueueName()})
	}
	if h.Idempotency {
		list = append(list, Argument{spec.IdempotencyVariable, h.IdempotencyName()})
	}
	return list
}
