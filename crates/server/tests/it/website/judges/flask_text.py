"""Flask with Authlib, as the owner of a website copies it from the page: the text of the task is run as it stands."""

from urllib.parse import urlsplit

from dialog import sign_in, task, verdict, visit

text = {"__name__": "application"}
exec(compile(task()["text"], "application.py", "exec"), text)  # noqa: S102: that is what the text is for
site = text["app"].test_client()

left = site.get("/log-in")
assert left.status_code == 302, left.text
back = urlsplit(sign_in(left.location))
came = site.get(f"{back.path}?{back.query}")
assert (came.status_code, came.location) == (302, "/"), came.text
with site.session_transaction() as session:
    visitor = session["visitor"]

# The same answer again is worth nothing: its state was used.
site.application.config["PROPAGATE_EXCEPTIONS"] = False
again = site.get(f"{back.path}?{back.query}").status_code

bye, _ = visit(site.get("/log-out").location)
with site.session_transaction() as session:
    is_forgotten = "visitor" not in session
verdict(visitor=visitor, again=again, goodbye=bye, is_forgotten=is_forgotten)
