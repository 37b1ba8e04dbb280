"""Cuts what the fake answers out of Atlassian's published document.

    python3 excerpt.py bitbucket-cloud.swagger.v3.json > bitbucket-cloud.excerpt.json
"""

import json
import re
import sys

# Path: methods that the fake answers.
KEPT = {
    "/hook_events": ["get"],
    "/hook_events/{subject_type}": ["get"],
    "/repositories": ["get"],
    "/repositories/{workspace}": ["get"],
    "/repositories/{workspace}/{repo_slug}": ["get"],
    "/repositories/{workspace}/{repo_slug}/commit/{commit}": ["get"],
    "/repositories/{workspace}/{repo_slug}/commits": ["get"],
    "/repositories/{workspace}/{repo_slug}/commits/{revision}": ["get"],
    "/repositories/{workspace}/{repo_slug}/hooks": ["get", "post"],
    "/repositories/{workspace}/{repo_slug}/hooks/{uid}": ["get", "put"],
    "/repositories/{workspace}/{repo_slug}/permissions-config/groups": ["get"],
    "/repositories/{workspace}/{repo_slug}/permissions-config/groups/{group_slug}": ["put", "delete"],
    "/repositories/{workspace}/{repo_slug}/permissions-config/users": ["get"],
    "/repositories/{workspace}/{repo_slug}/permissions-config/users/{selected_user_id}": ["put", "delete"],
    "/repositories/{workspace}/{repo_slug}/refs": ["get"],
    "/repositories/{workspace}/{repo_slug}/refs/branches": ["get"],
    "/repositories/{workspace}/{repo_slug}/refs/branches/{name}": ["get"],
    "/repositories/{workspace}/{repo_slug}/refs/tags": ["get"],
    "/repositories/{workspace}/{repo_slug}/refs/tags/{name}": ["get"],
    "/repositories/{workspace}/{repo_slug}/src/{commit}/{path}": ["get"],
    "/user": ["get"],
    "/user/emails": ["get"],
    "/user/emails/{email}": ["get"],
    "/user/permissions/repositories": ["get"],
    "/user/permissions/workspaces": ["get"],
    "/user/workspaces": ["get"],
    "/user/workspaces/{workspace}/permission": ["get"],
    "/user/workspaces/{workspace}/permissions/repositories": ["get"],
    "/users/{selected_user}": ["get"],
    "/workspaces": ["get"],
    "/workspaces/{workspace}": ["get"],
    "/workspaces/{workspace}/hooks": ["get", "post"],
    "/workspaces/{workspace}/hooks/{uid}": ["get", "put"],
    "/workspaces/{workspace}/members": ["get"],
    "/workspaces/{workspace}/members/{member}": ["get"],
    "/workspaces/{workspace}/permissions": ["get"],
    "/workspaces/{workspace}/permissions/repositories": ["get"],
    "/workspaces/{workspace}/permissions/repositories/{repo_slug}": ["get"],
    "/workspaces/{workspace}/projects": ["get"],
}

# Schemas that no answer refers to, but that the `type` of an object can name.
SCHEMAS = {"app_user", "commit_file", "error"}


def without_prose(value):
    """Descriptions, titles and examples say nothing to a validator."""
    if isinstance(value, list):
        return [without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    prose = {key for key in ("description", "title", "example", "examples") if not isinstance(value.get(key), dict)}
    return {
        key: without_prose(inner)
        for key, inner in value.items()
        if key not in prose and not key.startswith("x-") and key != "examples"
    }


def schemas_in(value):
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(value)))


def main():
    document = json.load(open(sys.argv[1], encoding="utf-8"))
    paths = {}
    for path, methods in KEPT.items():
        paths[path] = {}
        for method in methods:
            responses = document["paths"][path][method]["responses"]
            kept = {status: {"content": answer["content"]} for status, answer in responses.items() if "content" in answer}
            paths[path][method] = {"responses": without_prose(kept)}
    everything = document["components"]["schemas"]
    schemas, wanted = {}, schemas_in(paths) | SCHEMAS
    while wanted:
        name = wanted.pop()
        schemas[name] = without_prose(everything[name])
        wanted |= schemas_in(schemas[name]) - schemas.keys()
    excerpt = {"openapi": document["openapi"], "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}
    json.dump(excerpt, sys.stdout, indent=1, sort_keys=True)
    print()


main()
