"""Multi-model mode: many models behind one endpoint, loaded and unloaded as SageMaker asks."""
