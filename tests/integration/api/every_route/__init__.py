"""What holds at every door, tried at each one that the running application's document names."""
