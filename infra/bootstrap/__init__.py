"""What must be there before Terraform can run: made by boto3, the same however often; not in any stack's state."""
