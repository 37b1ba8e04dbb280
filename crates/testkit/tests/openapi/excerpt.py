"""Cuts what a fake answers out of one of Atlassian's published documents.

    python3 excerpt.py bitbucket-cloud.swagger.v3.json > bitbucket-cloud.excerpt.json
    python3 excerpt.py 9.4.swagger.v3.json > bitbucket-datacenter.excerpt.json
"""

import json
import re
import sys

# Path: methods that the fakes answer.
CLOUD = {
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

DATA_CENTER = {
    "/api/latest/admin/groups/more-members": ["get"],
    "/api/latest/application-properties": ["get"],
    "/api/latest/groups": ["get"],
    "/api/latest/projects": ["get"],
    "/api/latest/projects/{projectKey}": ["get"],
    "/api/latest/projects/{projectKey}/permissions/groups": ["get"],
    "/api/latest/projects/{projectKey}/permissions/users": ["get"],
    "/api/latest/projects/{projectKey}/permissions/{permission}/all": ["get"],
    "/api/latest/projects/{projectKey}/repos": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/branches/default": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/default-branch": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/permissions/groups": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/permissions/users": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/tags": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/tags/{name}": ["get"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/webhooks": ["get", "post"],
    "/api/latest/projects/{projectKey}/repos/{repositorySlug}/webhooks/{webhookId}": ["get", "put"],
    "/api/latest/projects/{projectKey}/webhooks": ["get", "post"],
    "/api/latest/projects/{projectKey}/webhooks/{webhookId}": ["get", "put"],
    "/api/latest/repos": ["get"],
    "/api/latest/users": ["get"],
    "/api/latest/users/{userSlug}": ["get"],
    "/authconfig/latest/login-options": ["get"],
}

# Schemas that no answer refers to, but that the `type` of an object can name, or every refusal is.
CLOUD_SCHEMAS = {"app_user", "commit_file", "error"}
DATA_CENTER_SCHEMAS = {"RestErrors"}


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
    is_cloud = "/user/workspaces" in document["paths"]
    kept_paths, more = (CLOUD, CLOUD_SCHEMAS) if is_cloud else (DATA_CENTER, DATA_CENTER_SCHEMAS)
    paths = {}
    for path, methods in kept_paths.items():
        paths[path] = {}
        for method in methods:
            responses = document["paths"][path][method]["responses"]
            kept = {status: {"content": answer["content"]} for status, answer in responses.items() if "content" in answer}
            paths[path][method] = {"responses": without_prose(kept)}
    everything = document["components"]["schemas"]
    schemas, wanted = {}, schemas_in(paths) | more
    while wanted:
        name = wanted.pop()
        schemas[name] = without_prose(everything[name])
        wanted |= schemas_in(schemas[name]) - schemas.keys()
    excerpt = {"openapi": document["openapi"], "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}
    json.dump(excerpt, sys.stdout, indent=1, sort_keys=True)
    print()


main()
