"""The retraining governor: a Lambda function that every trigger goes through. Standard library and boto3 only."""
