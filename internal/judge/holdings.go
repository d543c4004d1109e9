package judge

import "strings"

// holding says what goes when a resource of a type is destroyed.
type holding struct {
	// what completes the sentence "destroys ...".
	what string
	// note is a sentence on what AWS keeps or refuses; often empty.
	note string
}

// holdings are the types of resources that hold what the configuration cannot bring back, as of version 6.34 of the AWS provider.
// A type that is only made of its arguments is not here.
var holdings = map[string]holding{
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
	tableType:                    {"the table with all its items", ""},
	"aws_dynamodb_table_replica": {"the copy of the table in that region", "The items live on in the other regions."},
	"aws_dynamodb_global_table":  {"the table's copies in other regions", ""},
	"aws_dynamodb_table_item":    {"the item", ""},
	"aws_dynamodb_global_secondary_index": {
		"the index", "Queries of it fail at once; an index that is made again answers only when it is filled from the table.",
	},
	"aws_keyspaces_keyspace": {"the keyspace with its tables", ""},
	"aws_keyspaces_table":    {"the table with all its rows", ""},

	"aws_sqs_queue":                        {"the queue with all messages that wait in it", ""},
	"aws_kinesis_stream":                   {"the stream with all records that it keeps", ""},
	"aws_kinesis_video_stream":             {"the stream with all that it keeps", ""},
	"aws_kinesis_firehose_delivery_stream": {"the delivery stream with the records that wait in it", ""},
	"aws_msk_cluster":                      {"the cluster with all its topics", ""},
	"aws_msk_serverless_cluster":           {"the cluster with all its topics", ""},
	"aws_mq_broker":                        {"the broker with all messages that wait in it", ""},
	"aws_cloudwatch_event_archive":         {"the archive with all its events", ""},

	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
	"aws_s3_bucket": {
		"the bucket", "AWS refuses to delete a bucket that is not empty; with force_destroy terraform deletes all its objects first.",
	},
	"aws_s3_directory_bucket":        {"the bucket", "With force_destroy terraform deletes all its objects first."},
	"aws_s3control_bucket":           {"the bucket", ""},
	"aws_s3_object":                  {"the object", ""},
	"aws_s3_bucket_object":           {"the object", ""},
	"aws_s3_object_copy":             {"the object", ""},
	"aws_s3tables_table_bucket":      {"the bucket with its tables", ""},
	"aws_s3tables_namespace":         {"the namespace with its tables", ""},
	"aws_s3tables_table":             {"the table with all its rows", ""},
	"aws_s3vectors_vector_bucket":    {"the bucket with its vectors", ""},
	"aws_s3vectors_index":            {"the index with its vectors", ""},
	"aws_glacier_vault":              {"the vault with its archives", ""},
	"aws_media_store_container":      {"the container with its objects", ""},
	"aws_lightsail_bucket":           {"the bucket with its objects", ""},
	"aws_cloudfront_key_value_store": {"the store with its keys", ""},

	"aws_cloudwatch_log_group":        {"the log group with all its events", ""},
	"aws_cloudwatch_log_stream":       {"the log stream with all its events", ""},
	"aws_cloudtrail_event_data_store": {"the store with all its events", "CloudTrail keeps it for 7 days, in which it can be restored."},
	"aws_prometheus_workspace":        {"the workspace with all its metrics", ""},
	"aws_grafana_workspace":           {"the workspace with its dashboards", ""},
	"aws_securitylake_data_lake":      {"the data lake", ""},
	"aws_auditmanager_assessment":     {"the assessment with its evidence", ""},

	// https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
	"aws_kms_key":                       {"the key, without which nothing that it encrypted can be read", "KMS waits 7 to 30 days, in which the deletion can be cancelled."},
	"aws_kms_external_key":              {"the key, without which nothing that it encrypted can be read", "KMS waits 7 to 30 days, in which the deletion can be cancelled."},
	"aws_kms_replica_key":               {"the key in that region", "KMS waits 7 to 30 days, in which the deletion can be cancelled."},
	"aws_kms_replica_external_key":      {"the key in that region", "KMS waits 7 to 30 days, in which the deletion can be cancelled."},
	"aws_paymentcryptography_key":       {"the key, without which nothing that it encrypted can be read", ""},
	"aws_cloudhsm_v2_cluster":           {"the cluster with its keys", ""},
	"aws_cloudhsm_v2_hsm":               {"the module with its keys", ""},
	"aws_acmpca_certificate_authority":  {"the authority with its key", ""},
	"aws_secretsmanager_secret":         {"the secret", "Secrets Manager waits for the recovery window, unless recovery_window_in_days is 0."},
	"aws_secretsmanager_secret_version": {"the secret's value", ""},
	"aws_ssm_parameter":                 {"the parameter's value", ""},
	"tls_private_key":                   {"the private key", ""},
	"random_password":                   {"the password", ""},

	"aws_db_instance": {"the database", "A final snapshot is taken unless skip_final_snapshot is set."},
	"aws_db_instance_automated_backups_replication": {"the backups in that region", ""},
	"aws_db_snapshot":                     {"the snapshot", ""},
	"aws_db_snapshot_copy":                {"the snapshot", ""},
	"aws_db_cluster_snapshot":             {"the snapshot", ""},
	"aws_rds_cluster":                     {"the cluster with its databases", "A final snapshot is taken unless skip_final_snapshot is set."},
	"aws_rds_cluster_snapshot_copy":       {"the snapshot", ""},
	"aws_rds_shard_group":                 {"the shard group with its data", ""},
	"aws_docdb_cluster":                   {"the cluster with its databases", "A final snapshot is taken unless skip_final_snapshot is set."},
	"aws_docdb_cluster_snapshot":          {"the snapshot", ""},
	"aws_docdbelastic_cluster":            {"the cluster with its databases", ""},
	"aws_dsql_cluster":                    {"the cluster with its database", ""},
	"aws_neptune_cluster":                 {"the cluster with its graphs", "A final snapshot is taken unless skip_final_snapshot is set."},
	"aws_neptune_cluster_snapshot":        {"the snapshot", ""},
	"aws_neptunegraph_graph":              {"the graph", ""},
	"aws_redshift_cluster":                {"the cluster with its databases", "A final snapshot is taken unless skip_final_snapshot is set."},
	"aws_redshift_cluster_snapshot":       {"the snapshot", ""},
	"aws_redshiftserverless_namespace":    {"the namespace with its databases", ""},
	"aws_redshiftserverless_snapshot":     {"the snapshot", ""},
	"aws_timestreamwrite_database":        {"the database with its tables", ""},
	"aws_timestreamwrite_table":           {"the table with all its rows", ""},
	"aws_timestreaminfluxdb_db_instance":  {"the database", ""},
	"aws_timestreaminfluxdb_db_cluster":   {"the database", ""},
	"aws_qldb_ledger":                     {"the ledger", ""},
	"aws_finspace_kx_database":            {"the database", ""},
	"aws_finspace_kx_volume":              {"the volume", ""},
	"aws_odb_cloud_vm_cluster":            {"the cluster with its databases", ""},
	"aws_odb_cloud_autonomous_vm_cluster": {"the cluster with its databases", ""},
	"aws_lightsail_database":              {"the database", ""},

	"aws_elasticache_cluster":                  {"the cluster with all that it holds", ""},
	"aws_elasticache_replication_group":        {"the cluster with all that it holds", ""},
	"aws_elasticache_global_replication_group": {"the copies in other regions", ""},
	"aws_elasticache_serverless_cache":         {"the cache with all that it holds", ""},
	"aws_memorydb_cluster":                     {"the cluster with all that it holds", ""},
	"aws_memorydb_multi_region_cluster":        {"the cluster with all that it holds", ""},
	"aws_memorydb_snapshot":                    {"the snapshot", ""},
	"aws_opensearch_domain":                    {"the domain with all its indexes", ""},
	"aws_opensearchserverless_collection":      {"the collection with all its indexes", ""},
	"aws_elasticsearch_domain":                 {"the domain with all its indexes", ""},
	"aws_cloudsearch_domain":                   {"the domain with all its documents", ""},
	"aws_kendra_index":                         {"the index with all its documents", ""},
	"aws_qbusiness_application":                {"the application with its documents", ""},

	"aws_efs_file_system":                    {"the file system with all its files", ""},
	"aws_fsx_lustre_file_system":             {"the file system with all its files", ""},
	"aws_fsx_ontap_file_system":              {"the file system with all its files", ""},
	"aws_fsx_ontap_storage_virtual_machine":  {"the virtual machine with its volumes", ""},
	"aws_fsx_ontap_volume":                   {"the volume with all its files", ""},
	"aws_fsx_openzfs_file_system":            {"the file system with all its files", ""},
	"aws_fsx_openzfs_volume":                 {"the volume with all its files", ""},
	"aws_fsx_openzfs_snapshot":               {"the snapshot", ""},
	"aws_fsx_windows_file_system":            {"the file system with all its files", ""},
	"aws_fsx_file_cache":                     {"the cache with what is not written back", ""},
	"aws_fsx_backup":                         {"the backup", ""},
	"aws_ebs_volume":                         {"the volume", ""},
	"aws_ebs_snapshot":                       {"the snapshot", ""},
	"aws_ebs_snapshot_copy":                  {"the snapshot", ""},
	"aws_ebs_snapshot_import":                {"the snapshot", ""},
	"aws_ami":                                {"the image", ""},
	"aws_ami_copy":                           {"the image", ""},
	"aws_ami_from_instance":                  {"the image", ""},
	"aws_instance":                           {"the machine with its disks", "Volumes that are not deleted with it live on."},
	"aws_spot_instance_request":              {"the machine with its disks", ""},
	"aws_lightsail_instance":                 {"the machine with its disk", ""},
	"aws_lightsail_disk":                     {"the disk", ""},
	"aws_workspaces_workspace":               {"the desktop with its disks", ""},
	"aws_cloud9_environment_ec2":             {"the environment with its disk", ""},
	"aws_storagegateway_cached_iscsi_volume": {"the volume", ""},
	"aws_storagegateway_stored_iscsi_volume": {"the volume", ""},
	"aws_emr_cluster":                        {"the cluster with its file system", ""},
	"aws_backup_vault":                       {"the vault", "With force_destroy all its recovery points are deleted first."},
	"aws_backup_logically_air_gapped_vault":  {"the vault", ""},

	"aws_ecr_repository":                   {"the repository", "AWS refuses to delete one that has images; with force_delete they go too."},
	"aws_ecrpublic_repository":             {"the repository", "AWS refuses to delete one that has images; with force_destroy they go too."},
	"aws_codecommit_repository":            {"the repository with its history", ""},
	"aws_codecatalyst_source_repository":   {"the repository with its history", ""},
	"aws_codeartifact_domain":              {"the domain with its packages", ""},
	"aws_codeartifact_repository":          {"the repository with its packages", ""},
	"aws_cognito_user_pool":                {"the pool with all its users", ""},
	"aws_cognito_user":                     {"the user", ""},
	"aws_cognito_identity_pool":            {"the pool with all its identities", ""},
	"aws_identitystore_user":               {"the user", ""},
	"aws_directory_service_directory":      {"the directory with all its users", ""},
	"aws_verifiedpermissions_policy_store": {"the store with its policies", ""},
	"aws_route53_zone":                     {"the zone; one that is made again has other name servers", ""},
	"aws_glue_catalog_database":            {"the database's entry in the catalog, with its tables", "The files live on."},
	"aws_glue_catalog_table":               {"the table's entry in the catalog, with its partitions", "The files live on."},
	"aws_glue_registry":                    {"the registry with its schemas", ""},
	"aws_glue_schema":                      {"the schema with its versions", ""},
	"aws_athena_database":                  {"the database's entry in the catalog, with its tables", "The files live on."},
	"aws_sagemaker_feature_group":          {"the group with its features", ""},
	"aws_sagemaker_notebook_instance":      {"the notebook with its disk", ""},
	"aws_sagemaker_domain":                 {"the domain with its users' files", ""},
	"aws_sagemaker_space":                  {"the space with its files", ""},
	"aws_sagemaker_mlflow_tracking_server": {"the server with its experiments", ""},
	"aws_bedrock_custom_model":             {"the trained model", ""},
	"aws_bedrockagentcore_memory":          {"the memory with all that it holds", ""},
	"aws_rekognition_collection":           {"the collection with its faces", ""},
	"aws_comprehend_document_classifier":   {"the trained model", ""},
	"aws_comprehend_entity_recognizer":     {"the trained model", ""},
	"aws_transcribe_language_model":        {"the trained model", ""},
	"aws_location_tracker":                 {"the tracker with its positions", ""},
	"aws_dataexchange_data_set":            {"the data set", ""},
	"aws_dataexchange_revision":            {"the revision", ""},
	"aws_datazone_domain":                  {"the domain with its catalog", ""},
	"aws_customerprofiles_domain":          {"the domain with its profiles", ""},
	"aws_connect_instance":                 {"the instance with its users and records", ""},
	"aws_pinpoint_app":                     {"the application with its endpoints", ""},
	"aws_sesv2_contact_list":               {"the list with its contacts", ""},

	// What these hold is not in the plan.
	"aws_cloudformation_stack":                                 {"the stack with all its resources", ""},
	"aws_cloudformation_stack_instances":                       {"stacks with all their resources", ""},
	"aws_cloudformation_stack_set_instance":                    {"a stack with all its resources", ""},
	"aws_serverlessapplicationrepository_cloudformation_stack": {"the stack with all its resources", ""},
	"aws_servicecatalog_provisioned_product":                   {"the product with all its resources", ""},
	"aws_cloudcontrolapi_resource":                             {"a resource of a type that is not in the plan", ""},
	"aws_elastic_beanstalk_environment":                        {"the environment, with its database if it has one", ""},
}

// madeOfArguments are the beginnings of types that hold nothing: the AWS provider's that are not in holdings, and those of terraform's
// own small providers.
var madeOfArguments = []string{
	"aws_", "random_", "null_", "time_", "terraform_data", "archive_", "local_", "tls_", "cloudinit_", "template_", "http",
}

// held says what a resource of a type holds. Nothing is known of other providers' types.
func held(kind string) (h holding, holds, known bool) {
	if h, holds = holdings[kind]; holds {
		return h, true, true
	}
	for _, prefix := range madeOfArguments {
		if strings.HasPrefix(kind, prefix) {
			return holding{}, false, true
		}
	}
	return holding{}, false, false
}
