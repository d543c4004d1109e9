module example.com/shop

go 1.26.0

require streamgen v0.0.0

require github.com/aws/aws-lambda-go v1.55.1 // indirect

replace streamgen => ../../../../..
