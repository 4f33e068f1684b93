"""As a typical engineer writes it: FastAPI, pydantic, pandas and the scikit-learn-like booster."""

import io
import os

import lightgbm
import pandas as pd
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

app = FastAPI()
model = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])


@app.get("/ping")
def ping():
    return {"status": "ready"}


@app.post("/invocations")
async def invocations(request: Request):
    body = await request.body()
    if request.headers["content-type"] == "text/csv":
        scores = model.predict(pd.read_csv(io.BytesIO(body), header=None))
        return PlainTextResponse("".join(f"{score}\n" for score in scores))
    frame = pd.DataFrame((await request.json())["instances"])
    return {"predictions": [{"score": score} for score in model.predict(frame).tolist()]}
