import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError


def test_an_update_under_load_drops_no_request(live):
    live.model("v2")
    live.config("v2")
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            answers.append(live.ask()["model"])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    live.update("v2")
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert live.describe()["EndpointConfigName"].endswith("-v2")
    assert len(answers) > 50
    assert set(answers) == {"v1", "v2"}
    assert answers[-1] == "v2"


def test_a_request_under_way_is_finished_by_the_fleet_that_took_it(live):
    live.model("v2")
    live.config("v2")
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(live.ask, b"slow") for _ in range(3)]
        time.sleep(0.3)
        live.update("v2")
        assert live.ask()["model"] == "v2"
        assert {answer.result()["model"] for answer in slow} == {"v1"}


def test_an_update_that_never_becomes_healthy_leaves_the_old_fleet_serving(live):
    live.model("v2", healthy=False)
    live.config("v2")
    answer = live.update("v2")
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", f"{live.name}-v1")
    assert "did not pass the ping health check" in answer["FailureReason"]
    assert live.ask()["model"] == "v1"


def test_an_endpoint_in_the_middle_of_an_update_takes_no_other(live):
    live.model("v2")
    live.config("v2")
    live.sagemaker.update_endpoint(EndpointName=live.name, EndpointConfigName=f"{live.name}-v2")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        live.sagemaker.delete_endpoint(EndpointName=live.name)
    live.cloud.settle()


def test_capacities_start_and_stop_processes_up_to_two(live):
    change = live.sagemaker.update_endpoint_weights_and_capacities
    for instances, processes in ((3, 2), (1, 1)):
        change(
            EndpointName=live.name,
            DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": instances}],
        )
        live.cloud.settle()
        assert live.describe()["ProductionVariants"][0]["CurrentInstanceCount"] == instances
        assert len({live.ask()["pid"] for _ in range(6)}) == processes
