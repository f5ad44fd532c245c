package fileowner

var IsIdentity = isIdentity
