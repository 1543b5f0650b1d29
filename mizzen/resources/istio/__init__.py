"""The kinds of Istio's API as declarations: fields, types and limits, named as there. No rule that needs more than one field."""
