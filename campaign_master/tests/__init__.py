from . import (
    test_access,
    test_client_calls,
    test_client_contract,
    test_client_network,
    test_client_properties,
    test_client_secrets,
    test_client_wire,
    test_journey,
    test_pull,
    test_sync,
)
