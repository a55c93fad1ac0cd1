"""What keeps secrets and proves who somebody is: keys, passwords, tokens, second factors, the stored log-in."""
