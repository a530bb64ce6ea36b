#!/usr/bin/env python3
# sarif.py - what SARIF 2.1.0 (OASIS) requires of the members that pptrace writes; says what is wrong.
# SPDX-License-Identifier: MIT
import json
import re
import sys

KNOWN = {  # object: members that it must have, members that it may have
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "columnKind", "properties"}),
    "driver": ({"name"}, {"version", "rules"}),
    "rule": ({"id"}, {"shortDescription", "help", "defaultConfiguration"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "level", "locations", "relatedLocations",
                             "partialFingerprints", "properties"}),
    "location": (set(), {"id", "physicalLocation", "logicalLocations", "message"}),
}


def check(kind, value):
    must, may = KNOWN[kind]
    assert must <= set(value), f"{kind} lacks {must - set(value)}"
    assert set(value) <= must | may, f"{kind} has {set(value) - must - may}"


def message(value):
    assert set(value) == {"text"} and isinstance(value["text"], str) and value["text"], value


def location(value):
    check("location", value)
    physical = value["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    # A URI reference: nothing but what RFC 3986 allows, and a first segment without a colon that would be a scheme.
    assert re.fullmatch(r"(file:///)?([A-Za-z0-9/._~-]|%[0-9A-F]{2})+", uri), uri
    assert isinstance(physical["region"]["startLine"], int) and physical["region"]["startLine"] >= 1
    for logical in value.get("logicalLocations", []):
        assert isinstance(logical["name"], str) and logical["kind"] == "function"
    if "message" in value:
        message(value["message"])


def result(value, rules):
    check("result", value)
    message(value["message"])
    assert value["level"] in {"none", "note", "warning", "error"}, value["level"]
    assert rules[value["ruleIndex"]]["id"] == value["ruleId"]
    assert len(value["locations"]) <= 1
    for item in value["locations"]:
        location(item)
    ids = [item["id"] for item in value.get("relatedLocations", [])]
    assert len(ids) == len(set(ids)) and all(n >= 0 for n in ids), ids
    for item in value.get("relatedLocations", []):
        location(item)
    assert all(isinstance(v, str) for v in value["partialFingerprints"].values())
    assert isinstance(value["properties"], dict)


def main(path):
    with open(path, encoding="utf-8") as f:
        log = json.load(f)
    check("log", log)
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    check("run", run)
    assert set(run["tool"]) == {"driver"}
    driver = run["tool"]["driver"]
    check("driver", driver)
    assert driver["name"] == "pptrace"
    assert len({r["id"] for r in driver["rules"]}) == len(driver["rules"]) > 10
    for rule in driver["rules"]:
        check("rule", rule)
        message(rule["shortDescription"])
        message(rule["help"])
        assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    for value in run["results"]:
        result(value, driver["rules"])
    print(len(run["results"]))


main(sys.argv[1])
