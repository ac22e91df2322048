"""Run a DAG once, without a scheduler, and print what became of its tasks: `airflow_once.py DAG_FILE CONF`."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session

sys.modules["nbprod"] = None  # A DAG has to do without.
bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
run = dag.test(run_conf=json.loads(sys.argv[2]))
with create_session() as session:
    tasks = {each.task_id: each for each in run.get_task_instances(session=session)}
    handed = {
        name: {
            each.key: XComModel.deserialize_value(each)
            for each in session.scalars(XComModel.get_many(run_id=run.run_id, task_ids=name))
        }
        for name in tasks
    }
    told = {
        name: {"state": str(task.state), "tries": task.try_number, "handed": handed[name]}
        for name, task in tasks.items()
    }
    print("told:" + json.dumps({"state": str(run.state), "tasks": told}))
