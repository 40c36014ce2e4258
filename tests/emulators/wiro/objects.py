"""The JSON objects of Wiro: tasks, outputs, uploads, tools. All scalars are text."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.emulators.faults import Fault
from tests.emulators.pictures import Picture
from tests.emulators.records import Task
from tests.emulators.wiro.body import File
from tests.emulators.wiro.models import Input, Model
from tests.emulators.wiro.states import SHARE, State

USER = "15bce51f-442f-4f44-a71d-13c6374a62bd"
CPS = 0.000585  # US dollars a second
CATEGORIES = ["tool", "image-to-image"]


def folder(name: str) -> str:
    """The unguessable part of a file's public URL."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 64, 8))


def file_name(picture: Picture) -> str:
    return f"{picture.index}.{picture.format}"


def outputs(task: Task, fault: Fault | None, origin: str) -> list[dict[str, Any]]:
    """The files of a task that succeeded."""
    if fault is Fault.EMPTY_RESULT or "deleted" in task.notes:
        return []
    return [
        _file(
            name=file_name(picture),
            content_type=picture.content_type,
            size=len(picture.content),
            parent=hashlib.md5(task.id.encode()).hexdigest(),
            at=task.ends_at,
            url=f"{origin}/cdn1/{folder(task.token)}/{file_name(picture)}",
        )
        for picture in task.pictures
    ]


def upload(file: File, *, url: str, at: float) -> dict[str, Any]:
    """One item of /File/Upload's list."""
    item = _file(
        name=file.name,
        content_type=file.content_type,
        size=len(file.content),
        parent="folder-id",
        at=at,
        url=url,
    )
    keys = ("id", "name", "contenttype", "size", "parentid", "url", "addedtime", "accesskey")
    return {key: item[key] for key in keys}


def task_object(task: Task, state: State, fault: Fault | None, *, now: float, origin: str) -> dict[str, Any]:
    """One item of a task envelope's list."""
    model: Model = task.notes["model"]
    files = outputs(task, fault, origin) if state.succeeded else []
    ended = state.status in ("task_postprocess_end", "task_cancel", "task_error")
    elapsed = task.seconds if state.succeeded else 0.0

    def begun(status: str) -> str:
        at = task.at + SHARE[status] * task.seconds
        return str(int(at)) if at <= now else "0"

    return {
        "id": task.id,
        "uuid": USER,
        "name": "",
        "socketaccesstoken": task.token,
        "parameters": _parameters(task, origin),
        "debugoutput": "",
        "debugerror": state.reason,
        "starttime": begun("task_start"),
        "endtime": str(int(task.ends_at)) if ended else "0",
        "elapsedseconds": f"{elapsed:.4f}",
        "status": state.status,
        "pexit": state.pexit,
        "cps": f"{CPS:.12f}",
        "totalcost": f"{task.cost:.12f}" if state.succeeded else "0",
        "guestid": None,
        "projectid": "699",
        "modelid": model.id,
        "description": "",
        "basemodelid": "0",
        "runtype": "model",
        "modelfolderid": "",
        "modelfileid": "",
        "callbackurl": task.callback,
        "marketplaceid": None,
        "createtime": str(int(task.at)),
        "canceltime": str(int(task.cancelled_at)) if task.cancelled_at else "0",
        "assigntime": begun("task_assign"),
        "accepttime": begun("task_accept"),
        "preprocessstarttime": begun("task_preprocess_start"),
        "preprocessendtime": begun("task_preprocess_end"),
        "postprocessstarttime": begun("task_postprocess_start"),
        "postprocessendtime": begun("task_postprocess_end"),
        "categories": CATEGORIES,
        "modeldescription": "",
        "modelslugowner": model.owner,
        "modelslugproject": model.project,
        "outputs": files,
        "size": str(sum(int(each["size"]) for each in files)),
    }


def tool(model: Model, *, detail: bool) -> dict[str, Any]:
    """A model as in /Tool/List and /Tool/Detail."""
    reported = {
        "id": model.id,
        "title": model.project,
        "slugowner": model.owner,
        "slugproject": model.project,
        "cleanslugowner": model.owner.lower(),
        "cleanslugproject": model.project.lower().replace(".", "-"),
        "description": "",
        "image": "",
        "computingtime": "10 seconds",
        "categories": CATEGORIES,
        "tags": [],
        "samples": [],
        "marketplace": 0,
        "onlymembers": 1,
        "averagepoint": "0",
        "commentcount": "0",
        "dynamicprice": json.dumps([{"inputs": {}, "price": CPS, "priceMethod": "cps"}]),
        "cps": f"{CPS:.6f}",
        "approximatelycost": f"{CPS * 10:.5f}",
        "taskstat": {"runcount": 0, "successcount": 0, "errorcount": 0, "lastruntime": "0"},
    }
    if detail:
        items = [_parameter(each) for each in model.inputs]
        reported["parameters"] = [{"title": "Inputs", "items": items}]
    return reported


def _file(*, name: str, content_type: str, size: int, parent: str, at: float, url: str) -> dict[str, Any]:
    ident = hashlib.sha256(url.encode()).hexdigest()
    return {
        "id": ident[:32],
        "name": name,
        "contenttype": content_type,
        "parentid": parent,
        "uuid": USER,
        "size": str(size),
        "addedtime": str(int(at)),
        "modifiedtime": str(int(at)),
        "accesskey": ident[32:62],
        "foldercount": "0",
        "filecount": "0",
        "ispublic": 0,
        "expiretime": None,
        "url": url,
    }


def _parameters(task: Task, origin: str) -> dict[str, Any]:
    """The submitted fields, files as URLs."""

    def reported(value: Any) -> Any:
        if isinstance(value, list):
            return [reported(each) for each in value]
        return f"{origin}/v1/File/{task.token}/{value.name}" if isinstance(value, File) else value

    return {name: reported(value) for name, value in task.request.items()}


def _parameter(each: Input) -> dict[str, Any]:
    return {
        "id": each.id,
        "type": each.type,
        "label": each.id,
        "required": each.required,
        "default": each.default,
        "placeholder": "",
        "note": "",
        "description": "",
        "options": [{"text": option, "value": option} for option in each.options],
        "min": each.low,
        "max": each.high,
        "step": None,
    }
