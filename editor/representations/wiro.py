"""Jobs in Wiro's format: tasks, in the Wiro-compatible API, its socket and callbacks.

Every scalar is text, times are Unix seconds with "0" for never. Costs are in US dollars, which the
portal does not have: one credit is reported as one cent, as in all compatible APIs.
Source: Wiro's documents of its models, "Response".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from editor import catalog
from editor.access import task_tokens
from editor.catalog.types import Model
from editor.media import links
from editor.models import Image, Job, JobEvent, JobImage, Status

CREDITS_FOR_A_DOLLAR = 100
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

Kind = JobEvent.Kind
Table = dict[str, Any]


def dollars(credits: float) -> str:
    """With twelve decimals, as Wiro writes costs; "0" for nothing."""
    return f"{credits / CREDITS_FOR_A_DOLLAR:.12f}" if credits else "0"


def envelope(**content: Any) -> Table:
    """A success response."""
    return {"errors": [], **content, "result": True}


def tasks(jobs: Iterable[Job], *, base_url: str, total: int | None = None) -> Table:
    """A response with these tasks, see `task`; `total` includes those on other pages."""
    rendered = [task(job, base_url=base_url) for job in jobs]
    return {"total": str(len(rendered) if total is None else total), **envelope(tasklist=rendered)}


def callback(job: Job, *, base_url: str) -> Table:
    """The message to a task's callbackUrl: the task, and at the top level what most receivers read."""
    rendered = task(job, base_url=base_url)
    top = {"taskid": rendered["id"], "status": rendered["status"], "outputs": rendered["outputs"]}
    return {"total": "1", **top, **envelope(tasklist=[rendered])}


def task(job: Job, *, base_url: str) -> Table:
    """A job as a task, see `queries.jobs.with_everything`; `base_url` is scheme and host of links."""
    times: dict[str, datetime] = {}
    for event in job.events.all():
        times.setdefault(event.kind, event.created_at)
    found = outputs(job, base_url=base_url)
    worked_until = times.get(Kind.POSTPROCESS_START, job.finished_at)
    seconds = _seconds(job.started_at, worked_until)
    size = str(sum(int(output["size"]) for output in found))
    return {
        "id": str(job.number),
        "uuid": str(job.created_by_id or ""),
        "name": "",
        "socketaccesstoken": task_tokens.make(job.id),
        "parameters": _parameters(job, base_url=base_url),
        "debugoutput": "",
        "debugerror": job.error,
        "starttime": _time(times.get(Kind.START)),
        "endtime": _time(worked_until if Kind.START in times else None),
        "elapsedseconds": f"{seconds:.4f}",
        "status": status(job),
        "cps": dollars(job.charged / seconds if seconds else 0),
        "totalcost": dollars(job.charged),
        "guestid": None,
        "projectid": str(job.workspace_id),
        "modelid": job.model,
        "description": "",
        "basemodelid": "0",
        "runtype": "model",
        "modelfolderid": "",
        "modelfileid": "",
        "callbackurl": job.callback_url,
        "marketplaceid": None,
        "createtime": _time(job.created_at),
        "canceltime": _time(times.get(Kind.CANCEL)),
        "assigntime": _time(times.get(Kind.ASSIGN)),
        "accepttime": _time(times.get(Kind.ACCEPT)),
        "preprocessstarttime": _time(times.get(Kind.PREPROCESS_START)),
        "preprocessendtime": _time(times.get(Kind.PREPROCESS_END)),
        "postprocessstarttime": _time(times.get(Kind.POSTPROCESS_START)),
        "postprocessendtime": _time(times.get(Kind.POSTPROCESS_END, times.get(Kind.ERROR))),
        "pexit": {Status.COMPLETED: "0", Status.FAILED: "1"}.get(Status(job.status), ""),
        **_model(job.model),
        "outputs": found,
        "size": size,
    }


def status(job: Job) -> str:
    """The job's stage; a failure ends like a success, with another exit code."""
    return Kind.POSTPROCESS_END.value if job.status == Status.FAILED else job.stage


def outputs(job: Job, *, base_url: str) -> list[Table]:
    """The job's `shown_results` as files."""
    return [_output(job, image, base_url=base_url) for image in job.shown_results]  # type: ignore[attr-defined]


def frames(job: Job, event: JobEvent, *, base_url: str) -> list[Table]:
    """Socket messages for one of the job's events; the job has its `shown_results`."""
    rendered: list[tuple[str, Any]]
    match event.kind:
        case Kind.OUTPUT:
            rendered = [(Kind.OUTPUT.value, _progress(job, event))]
        case Kind.POSTPROCESS_START:
            rendered = [("task_end", None), (event.kind, None)]
        case Kind.POSTPROCESS_END:
            files = outputs(job, base_url=base_url)
            kept = [{name: file[name] for name in ("name", "contenttype", "size", "url")} for file in files]
            rendered = [(event.kind, kept)]
        case Kind.ERROR:
            rendered = [(event.kind, job.error), (Kind.POSTPROCESS_END.value, [])]
        case Kind.CANCEL:
            rendered = [(event.kind, "cancelled")]
        case _:
            rendered = [(event.kind, None)]
    about = {"id": str(job.number), "tasktoken": task_tokens.make(job.id)}
    return [{"type": type, **about, "message": message, "result": True} for type, message in rendered]


def upload(image: Image, *, base_url: str) -> Table:
    """The response to an upload; its `url` can be used as an image of a run."""
    path = links.sign_lasting(image.id)
    rendered = {
        "id": image.id.hex,
        "name": image.original_name,
        "contenttype": image.content_type,
        "size": str(image.size),
        "parentid": "",
        "url": f"{base_url}{path}",
        "addedtime": _time(image.created_at),
        "accesskey": path.rpartition("/")[2],
    }
    return envelope(list=[rendered])


def categories(model: Model) -> list[str]:
    kinds = [("text-to-image", model.text_to_image), ("image-to-image", model.maximum_images > 0)]
    return ["tool", *(kind for kind, can in kinds if can)]


def _output(job: Job, image: Image, *, base_url: str) -> Table:
    path = links.sign_lasting(image.id)
    made = _time(image.created_at)
    return {
        "id": image.id.hex,
        "name": f"{image.position}.{EXTENSIONS[image.content_type]}",
        "contenttype": image.content_type,
        "parentid": job.id.hex,
        "uuid": str(job.created_by_id or ""),
        "size": str(image.size),
        "addedtime": made,
        "modifiedtime": made,
        "accesskey": path.rpartition("/")[2],
        "foldercount": "0",
        "filecount": "0",
        "ispublic": 0,
        "expiretime": None,
        "url": f"{base_url}{path}",
    }


def _parameters(job: Job, *, base_url: str) -> Table:
    """The task's inputs, under the model's own names; images as links, separated by commas."""
    rendered: Table = {"prompt": job.prompt}
    model = catalog.catalog().models.get(job.model)
    own = (JobImage.Role.SOURCE, JobImage.Role.REFERENCE)
    used = [place.image for place in job.job_images.all() if place.role in own]
    given = [f"{base_url}{links.sign_lasting(image.id)}" for image in used if image.trashed_at is None]
    for item in model.inputs if model else ():
        if item.role == "images" and given:
            rendered[item.name] = ",".join(given)
        elif item.role == "image" and given:
            rendered[item.name] = given.pop(0)
    return rendered | {name: _text(value) for name, value in job.inputs.items()}


def _model(model_id: str) -> Mapping[str, Any]:
    model = catalog.catalog().models.get(model_id)
    owner, _, project = model_id.partition("/")
    return {
        "categories": categories(model) if model else ["tool"],
        "modeldescription": model.description if model else "",
        "modelslugowner": owner,
        "modelslugproject": project,
    }


def _progress(job: Job, event: JobEvent) -> Table:
    """Progress in percent and seconds."""
    percent = event.percent or 0
    elapsed = _seconds(job.started_at, event.created_at)
    return {
        "type": "progressGenerate",
        "task": "Generate",
        "percentage": str(percent),
        "stepCurrent": str(percent),
        "stepTotal": "100",
        "speed": f"{percent / elapsed if elapsed else 0:.1f}",
        "speedType": "%/s",
        "elapsedTime": f"{elapsed:.0f}s",
        "remainingTime": f"{elapsed * (100 - percent) / percent if percent else 0:.0f}s",
    }


def _seconds(start: datetime | None, end: datetime | None) -> float:
    """From start to end, or until now; 0 without a start."""
    return max(((end or timezone.now()) - start).total_seconds(), 0) if start else 0.0


def _time(moment: datetime | None) -> str:
    return str(int(moment.timestamp())) if moment else "0"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
