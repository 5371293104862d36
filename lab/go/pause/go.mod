module mayfly/lab/pause

go 1.26
