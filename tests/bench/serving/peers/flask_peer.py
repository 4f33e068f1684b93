"""After AWS's bring-your-own-container example: Flask behind gunicorn, pandas and the booster."""

import io
import os

import flask
import lightgbm
import pandas as pd

app = flask.Flask(__name__)
model = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])


@app.get("/ping")
def ping():
    return flask.Response(response="\n", status=200, mimetype="application/json")


@app.post("/invocations")
def invocations():
    if flask.request.content_type == "text/csv":
        scores = model.predict(pd.read_csv(io.StringIO(flask.request.get_data(as_text=True)), header=None))
        return flask.Response("".join(f"{score}\n" for score in scores), mimetype="text/csv")
    frame = pd.DataFrame(flask.request.get_json()["instances"])
    return flask.jsonify(predictions=[{"score": score} for score in model.predict(frame).tolist()])
