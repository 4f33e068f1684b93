from pathlib import Path

import pytest

from infra.provider import aws, classes, schema, stub


@pytest.mark.parametrize("name", ["__init__.pyi", "data.pyi"])
def test_the_committed_stubs_are_those_of_the_committed_schema(tmp_path, name):
    stub.write(schema.load(), tmp_path)
    committed = Path(aws.__file__).with_name(name).read_text()
    assert (tmp_path / name).read_text() == committed, "out of step: make provider-schema"


@pytest.mark.parametrize("kind", ["resource", "data"])
def test_every_type_of_the_schema_has_a_class_of_its_own(kind):
    types = classes.terraform_types(kind)
    assert sorted(types.values()) == sorted(getattr(schema.load(), kind))
    module = aws if kind == "resource" else aws.data
    assert all(getattr(module, name).terraform_type == terraform_type for name, terraform_type in types.items())


@pytest.mark.parametrize("kind", ["resource", "data"])
def test_no_attribute_is_hidden_by_a_method_of_the_framework(kind):
    hidden = {
        (name, attribute)
        for name, block in getattr(schema.load(), kind).items()
        for attribute in [*block.get("attributes", {}), *block.get("block_types", {})]
        if hasattr(classes.make(aws.S3Bucket.__mro__[1], "test", "S3Bucket"), attribute)
    }
    assert hidden == set()
