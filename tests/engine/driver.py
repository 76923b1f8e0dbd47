"""Runs a process with SpiffWorkflow and calls a connector proxy as the engines' backends do.

    driver.py PROCESS.bpmn < INPUT

The input is JSON: `data` to start with, and for each user task by its id in `forms` what a person fills
in. The proxy is CONNECTOR_PROXY_URL, its key CONNECTOR_PROXY_API_KEY where there is one; SPIFF_SECRET:NAME
in a parameter is the variable SECRET_NAME. Each line that is written is one JSON object: `attempt` for each
request for a command, and at last `result`.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.spiff.parser.process import VALIDATOR, SpiffBpmnParser
from SpiffWorkflow.spiff.specs.event_definitions import ErrorEventDefinition
from SpiffWorkflow.util.task import TaskState

# Seconds that engines wait for a command, and for the listing.
COMMAND_TIMEOUT = 45
LISTING_TIMEOUT = 15

SECRET = "SPIFF_SECRET:"
API_KEY_HEADER = "Spiff-Connector-Proxy-Api-Key"


def write(kind, value):
    print(json.dumps({kind: value}, default=str), flush=True)


class Failed(WorkflowException):
    """A service task failed and no boundary event catches its error."""

    def __init__(self, error):
        super().__init__(f"{error['error_code']}: {error['message']}")
        self.error = error


class Proxy:
    """A connector proxy, by its URL."""

    def __init__(self, url, api_key=None):
        self.url = url
        self.headers = {API_KEY_HEADER: api_key} if api_key else {}

    def request(self, path, timeout, body=None):
        """Status and text of the response; 500 where none came."""
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body, default=str).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as response:
            return response.code, response.read().decode()
        except OSError as error:
            return 500, json.dumps({"error": {"error_code": type(error).__name__, "message": str(error)}})

    def operators(self):
        """What the drop-down of a modeler offers."""
        status, text = self.request("/v1/commands", LISTING_TIMEOUT)
        return {command["id"]: command["parameters"] for command in json.loads(text)} if status == 200 else {}

    def call(self, operator, parameters, retries, backoff_base):
        """The reply to a command. It is asked for again only where the status says that this may help."""
        attempt = 0
        while True:
            status, text = self.request(f"/v1/do/{operator}", COMMAND_TIMEOUT, parameters)
            write("attempt", {"operator": operator, "task": parameters["spiff__task_id"], "status": status})
            if attempt >= retries or not (status >= 500 or status == 429):
                return status, text
            time.sleep(backoff_base**attempt)
            attempt += 1


class Engine(PythonScriptEngine):
    """Evaluates expressions, and has service tasks done by a proxy."""

    def __init__(self, proxy):
        super().__init__()
        self.proxy = proxy

    def call_service(self, task, operation_name, operation_params):
        parameters = {name: with_secrets(given["value"]) for name, given in operation_params.items()}
        parameters |= {
            "spiff__process_instance_id": 1,
            "spiff__process_model_identifier": task.workflow.spec.name,
            "spiff__task_id": str(task.id),
            "spiff__task_data": task.data,
            "spiff__callback_url": f"http://127.0.0.1/tasks/1/{task.id}/callback",
        }
        spec = task.task_spec
        status, text = self.proxy.call(
            operation_name, parameters, spec.retries or 0, spec.retry_backoff_base or 1
        )
        try:
            reply = json.loads(text or "{}")
        except json.JSONDecodeError:
            code = "ServiceTaskOperatorReturnedInvalidJsonError"
            reply = {"error": {"error_code": code, "message": text}}
        for line in reply.get("spiff__logs", []):
            write("log", line)
        result = reply
        if reply.get("command_response_version", 0) > 1:
            result = reply["command_response"] | {"operator_identifier": operation_name}
        error = reply.get("error")
        if not (isinstance(error, dict) and "error_code" in error):
            error = None
            if status >= 300:
                code = "ServiceTaskOperatorReturnedBadStatusError"
                error = {"error_code": code, "message": text}
        if error is not None:
            self.fail(task, operation_name, status, error)
        return json.dumps(result)

    def fail(self, task, operator, status, error):
        """Hands the error to the boundary event that catches its code, or fails the task."""
        code = error["error_code"]
        error = {
            "error_code": code,
            "message": error["message"],
            "operator_identifier": operator,
            "status_code": status,
        }
        event = BpmnEvent(ErrorEventDefinition(name=code, code=code), payload=error, target=task.workflow)
        if not task.workflow.get_tasks(catches_event=event, state=TaskState.NOT_FINISHED_MASK):
            raise Failed(error)
        task.workflow.top_workflow.catch(event)


def with_secrets(value):
    if isinstance(value, str) and value.startswith(SECRET):
        return os.environ["SECRET_" + value.removeprefix(SECRET)]
    return value


def load(path, engine):
    """The process in a file, which has to be BPMN 2.0 by the schema."""
    parser = SpiffBpmnParser(validator=VALIDATOR)
    parser.add_bpmn_file(path)
    [process] = parser.get_process_ids()
    return BpmnWorkflow(parser.get_spec(process), script_engine=engine)


def run(workflow, data, forms):
    """Runs to the end, or to the first failure. Gives the error of that."""
    workflow.task_tree.data.update(data)
    try:
        workflow.do_engine_steps()
        while (form := workflow.get_next_task(state=TaskState.READY, manual=True)) is not None:
            form.data.update(forms[form.task_spec.bpmn_id])
            form.run()
            workflow.do_engine_steps()
    except Failed as failed:
        return failed.error
    return None


def main():
    given = json.load(sys.stdin)
    proxy = Proxy(os.environ["CONNECTOR_PROXY_URL"], os.environ.get("CONNECTOR_PROXY_API_KEY"))
    workflow = load(sys.argv[1], Engine(proxy))
    operators = proxy.operators()
    services = [s for s in workflow.spec.task_specs.values() if hasattr(s, "operation_name")]
    error = run(workflow, given.get("data", {}), given.get("forms", {}))
    states = {
        task.task_spec.bpmn_id: TaskState.get_name(task.state)
        for task in workflow.get_tasks()
        if task.task_spec.bpmn_id
    }
    result = {
        "completed": workflow.completed,
        "error": error,
        "states": states,
        "data": workflow.data,
        "services": {s.bpmn_id: [s.operation_name, sorted(s.operation_params)] for s in services},
        "unlisted": sorted({s.operation_name for s in services} - operators.keys()),
    }
    write("result", result)


if __name__ == "__main__":
    main()
