from nbprod.analysis.compiled import COMPILED, compiled_text


def test_what_is_read_is_what_the_yaml_and_toml_files_say() -> None:
    assert COMPILED.read_text("utf-8") == compiled_text(), "run `make rules`"
