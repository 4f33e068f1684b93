"""SageMaker pipelines that run, and the model packages they register."""
