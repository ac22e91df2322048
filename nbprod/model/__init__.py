"""The values that the layers of nbprod exchange: frozen, without behaviour, without imports of libraries."""
